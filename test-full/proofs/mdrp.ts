import { averagesTable, playMdrpDay, type MdrpDay, type MdrpDayJob } from "#cli";
import { markdownTable } from "../markdown.ts";
import type { Proof } from "../proof.ts";
import { daysOf } from "./days-of.ts";

/** The whole day is kept in the ledger: the averages are taken over all of them, whenever they were played. */
export const mdrp: Proof<MdrpDayJob> = {
  name: "mdrp",
  claim: "every day of every instance is feasible by every rule of the evaluator, and keeps D1 to D5 and the life of each job",
  needs: "instances",
  itemSecondsMax: 600,
  items: daysOf,
  async prove(job) {
    const day = await playMdrpDay(job);
    return { ok: day.feasible && day.clean, facts: { day: JSON.stringify(day), broken: day.broken.join("; ") } };
  },
  tell(entries) {
    // Written above.
    const days = entries.flatMap(({ facts: { day } }) => (day === undefined ? [] : [JSON.parse(String(day)) as MdrpDay]));
    if (days.length === 0) return [];
    const { head, rows } = averagesTable(days);
    const checked = days.reduce((sum, day) => sum + day.checked, 0);
    return [...markdownTable(head, rows), "", `${checked.toLocaleString("en-US")} facts were checked by the invariants.`];
  },
};
