/** Progress of long work on standard error: a bar that updates in place, or a plain line now and then where there is no terminal. */
import pc from "picocolors";

export interface ProgressOptions {
  readonly label: string;
  readonly total: number;
  readonly unit: string;
  readonly stream?: NodeJS.WriteStream;
  readonly now?: () => number;
}

export interface Progress {
  /** `total` may become known later. */
  readonly update: (done: number, total?: number, note?: string) => void;
  end(note?: string): void;
}

const barCells = 24;
const terminalIntervalMs = 100;
const plainIntervalMs = 2_000;

/** done / total, rate, time left. Never throws; costs nothing between two lines. */
export function progress({
  label,
  total: initial,
  unit,
  stream = process.stderr,
  now = () => performance.now(),
}: ProgressOptions): Progress {
  const begun = now();
  const live = stream.isTTY;
  const interval = live ? terminalIntervalMs : plainIntervalMs;
  let shown = begun;
  let latest = initial;

  const line = (done: number, total: number, note: string): string => {
    const seconds = Math.max((now() - begun) / 1000, 1e-9);
    const rate = done / seconds;
    const left = rate > 0 ? (total - done) / rate : Number.NaN;
    const share = total > 0 ? Math.min(done / total, 1) : 1;
    const filled = Math.round(share * barCells);
    const bar = live ? `${pc.cyan("█".repeat(filled))}${pc.dim("░".repeat(barCells - filled))} ` : "";
    return `${label} ${bar}${done}/${total} ${unit}  ${formatRate(rate)}/s  ${Number.isFinite(left) ? `${left.toFixed(0)} s left` : ""}${note === "" ? "" : `  ${note}`}`;
  };

  return {
    update(done, total = initial, note = "") {
      latest = total;
      if (now() - shown < interval) return;
      shown = now();
      stream.write(live ? `\r\u001B[2K${line(done, total, note)}` : `${line(done, total, note)}\n`);
    },
    end(note = "") {
      const seconds = (now() - begun) / 1000;
      const text = `${label} ${latest} ${unit} in ${seconds.toFixed(1)} s (${formatRate(latest / Math.max(seconds, 1e-9))}/s)${note === "" ? "" : `  ${note}`}`;
      stream.write(live ? `\r\u001B[2K${text}\n` : `${text}\n`);
    },
  };
}

function formatRate(rate: number): string {
  if (!Number.isFinite(rate)) return "-";
  return rate >= 10_000 ? `${(rate / 1000).toFixed(0)}k` : rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);
}
