import { playCityDay, type CityDayJob } from "#cli";
import { markdownTable } from "../markdown.ts";
import type { Proof } from "../proof.ts";

interface CityDayItem {
  readonly job: CityDayJob;
  /** The same seed once more must give the same bytes. */
  readonly twice: boolean;
}

/** 24 hours with all positions that 500 devices send every five seconds, and two shorter ones played twice. */
export const cityDay: Proof<CityDayItem> = {
  name: "city-day",
  claim:
    "24 virtual hours of a seeded city with 500 drivers, 10,000 orders and 2,000 rides, a position each 5 s and none left out, with declines, silence, early ends, cancellations and false reports mixed in: D1 to D6 hold, every input has an effect or a refusal with a true reason, and the same seed gives the same bytes",
  needs: "nothing",
  // Half an hour lies in memory, the day on the disk.
  processes: 1,
  itemSecondsMax: 3 * 60 * 60,
  items({ seed }) {
    const day = { seed, drivers: 500, gpsEveryMs: 5_000, policy: "batch-matching", partitions: 4, zone: { tickMs: 5_000 } };
    const part = (hours: number): CityDayJob => {
      const share = hours / 24;
      return { ...day, minutes: hours * 60, orders: Math.round(10_000 * share), rides: Math.round(2_000 * share) };
    };
    return [
      { name: "half an hour twice", job: { job: part(0.5), twice: true } },
      { name: "24 hours", job: { job: { ...part(24), onDisk: true }, twice: false } },
    ];
  },
  async prove({ job, twice }) {
    const { broken, figures, digest } = await playCityDay(job);
    const again = twice ? await playCityDay(job) : undefined;
    const problems = again === undefined || again.digest === digest ? broken : [...broken, "the second day has other bytes"];
    return { ok: problems.length === 0, facts: { ...figures, digest, broken: problems.join("; ") } };
  },
  tell(entries) {
    const days = entries.map(({ facts }) => facts);
    const names = [...new Set(days.flatMap((facts) => Object.keys(facts)))].filter((name) => name !== "broken" && name !== "digest");
    return markdownTable(
      ["", ...entries.map(({ item }) => item)],
      names.map((name) => [name, ...days.map((facts) => number(facts[name]))]),
    );
  },
};

function number(value: number | string | undefined): string {
  return typeof value === "number" ? (Math.round(value * 1_000) / 1_000).toLocaleString("en-US") : (value ?? "-");
}
