/** What instances say of themselves in their logs, counted. */

export interface RowsThere {
  readonly tasks: number;
  /** Of changelogs, read while tasks waited. */
  readonly records: number;
}

/** How tasks came to their rows: the engine's line "the rows of a task are there". */
export function rowsThere(lines: readonly string[]): Readonly<Record<"standby" | "rows" | "nothing", RowsThere>> {
  const found = { standby: { tasks: 0, records: 0 }, rows: { tasks: 0, records: 0 }, nothing: { tasks: 0, records: 0 } };
  for (const line of lines) {
    const match = /the rows of a task are there (\{.*\})/.exec(line);
    if (match === null) continue;
    const { from, records } = JSON.parse(match[1] ?? "{}") as { from: keyof typeof found; records: number }; // the engine's own line
    found[from].tasks++;
    found[from].records += records;
  }
  return found;
}

/** Times that uncommitted work was dropped: by a failed commit, or by losing the membership. */
export function lostWork(lines: readonly string[]): number {
  return lines.filter((line) => /uncommitted work is dropped/.test(line)).length;
}
