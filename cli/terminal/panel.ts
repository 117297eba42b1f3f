/** A few lines that update in place; on a stream that is no terminal, the lines once, then one plain line every few seconds. */
export interface Panel {
  /** `lines` for a terminal, `plain` for anything else. */
  draw(lines: readonly string[], plain: string): void;
  /** Leaves the last picture where it stands. */
  end(): void;
}

const plainIntervalMs = 2_000;

export function panel(stream: NodeJS.WriteStream = process.stderr, now: () => number = () => performance.now()): Panel {
  const live = stream.isTTY;
  let height = 0;
  let shown = Number.NEGATIVE_INFINITY;
  return {
    draw(lines, plain) {
      if (!live) {
        if (now() - shown < plainIntervalMs) return;
        stream.write(`${(shown === Number.NEGATIVE_INFINITY ? lines : [plain]).join("\n")}\n`);
        shown = now();
        return;
      }
      const width = stream.columns ?? 80;
      const up = height > 0 ? `\u001B[${height}A` : "";
      stream.write(`${up}${lines.map((line) => `\u001B[2K${clip(line, width)}\n`).join("")}`);
      height = lines.length;
    },
    end() {
      height = 0;
    },
  };
}

const escapes = new RegExp(`${String.fromCodePoint(0x1b)}\\[[0-9;]*m`, "g");

/** Cuts to the visible width; colour codes take no room, and a cut line ends its colours. */
function clip(line: string, width: number): string {
  if (line.replace(escapes, "").length <= width) return line;
  return `${line.replace(escapes, "").slice(0, width - 1)}…`;
}
