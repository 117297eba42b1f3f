import { checkClairvoyance, type ClairvoyanceJob } from "#cli";
import type { Proof } from "../proof.ts";
import { seededDraws } from "../seeded-draws.ts";
import { daysOf } from "./days-of.ts";

const minutesPerDay = 5;

export const clairvoyance: Proof<ClairvoyanceJob> = {
  name: "clairvoyance",
  claim: `no clairvoyance: for ${minutesPerDay} random minutes of each day, a run whose input ends there has the same assignments up to there`,
  needs: "instances",
  itemSecondsMax: 900,
  items: (context) =>
    daysOf(context).map(({ name, job }) => ({
      name,
      job: { ...job, draws: seededDraws(`${context.seed} ${name}`, minutesPerDay) },
    })),
  async prove(job) {
    const { minutes, compared, differences } = await checkClairvoyance(job);
    return {
      ok: differences.length === 0 && compared > 0,
      facts: { minutes: minutes.join(", "), compared, broken: differences.join("; ") },
    };
  },
  tell(entries) {
    const compared = entries.reduce((sum, { facts }) => sum + Number(facts["compared"] ?? 0), 0);
    const minutes = entries.reduce((sum, { facts }) => sum + String(facts["minutes"] ?? "").split(", ").length, 0);
    return [`${minutes} runs that end early, ${compared.toLocaleString("en-US")} assignments compared with those of the whole days.`];
  },
};
