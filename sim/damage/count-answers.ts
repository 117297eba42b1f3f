/** Damages and what came of them, counted. */
import { circumstances } from "./circumstances.ts";
import { damages } from "./damages.ts";
import type { CaseReport } from "./run-cases.ts";

/** `<damage>: <answer>` → how often. */
export function countAnswers(reports: readonly CaseReport[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, answer } of reports) {
    const said = answer.kind === "refused" ? `${answer.code} when ${answer.at === "open" ? "opened" : "read"}` : words[answer.kind];
    const key = `${name}: ${said}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const words = { earlier: "an earlier moment", same: "nothing is missing", skipped: "not done", wrong: "WRONG" } as const;

/** Rows of a table: what was done, what came of it. */
export function answerRows(counts: Readonly<Record<string, number>>): readonly (readonly [string, string])[] {
  return [...damages, ...circumstances].flatMap(({ name, what }) => {
    const own = Object.entries(counts).filter(([key]) => key.startsWith(`${name}: `));
    const said = own.map(([key, count]) => `${key.slice(name.length + 2)} (${count})`);
    return said.length === 0 ? [] : [[what, said.join(", ")] as const];
  });
}
