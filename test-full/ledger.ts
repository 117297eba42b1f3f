/** What has been proved so far, a JSON line each: the long proof goes on where it was stopped. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
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
  find(proof: string, item: string): Entry | undefined;
  add(entry: Entry): void;
  entries(proof: string): readonly Entry[];
}

/** Entries belong to one state of the code: the file is named by the commit. */
export function openLedger(file: string): Ledger {
  mkdirSync(dirname(file), { recursive: true });
  const lines = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
  const entries = lines.map((line) => JSON.parse(line) as Entry); // written below, by us
  return {
    find: (proof, item) => entries.findLast((entry) => entry.proof === proof && entry.item === item && entry.ok),
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
