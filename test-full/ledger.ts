/** What has been proved so far, a JSON line each: a long proof goes on where it was stopped. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface Entry {
  readonly proof: string;
  readonly item: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Numbers and short texts for the report. */
  readonly facts: Readonly<Record<string, number | string>>;
}

export interface Ledger {
  /** The newest entry, if it is a good one: what failed is done again. */
  find(proof: string, item: string): Entry | undefined;
  add(entry: Entry): void;
  /** The newest of each item. */
  entries(proof: string): readonly Entry[];
}

/** Entries belong to one state of the code: the file is named by the commit. */
export function openLedger(file: string): Ledger {
  mkdirSync(dirname(file), { recursive: true });
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  // A kill may have cut the last line.
  if (whole !== text) writeFileSync(file, whole);
  const lines = whole.split("\n").filter((line) => line !== "");
  const entries = lines.map((line) => JSON.parse(line) as Entry); // written below, by us
  return {
    find(proof, item) {
      const newest = entries.findLast((entry) => entry.proof === proof && entry.item === item);
      return newest?.ok === true ? newest : undefined;
    },
    add(entry) {
      entries.push(entry);
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
    entries(proof) {
      const newest = new Map(entries.filter((entry) => entry.proof === proof).map((entry) => [entry.item, entry]));
      return [...newest.values()];
    },
  };
}
