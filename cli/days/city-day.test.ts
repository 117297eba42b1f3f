/** A small city on a busy hour with all that people and devices do: the long proof plays a day of 24 hours of it. */
import { expect, test } from "vitest";
import { playCityDay, type CityDay, type CityDayJob } from "./city-day.ts";

const job: CityDayJob = {
  seed: 42,
  minutes: 8,
  drivers: 30,
  orders: 34,
  rides: 12,
  gpsEveryMs: 5_000,
  policy: "batch-matching",
  // Cells of two tasks.
  partitions: 4,
  zone: { tickMs: 2_000, parameters: { surgeStartRatio: 0.05 } },
  // Enough that each kind of trouble shows in so short a time.
  habits: { missProbability: 0.1, silenceProbability: 0.4, earlyEndProbability: 0.4, cancelProbability: 0.15, lieProbability: 0.02 },
};

/** Its figures but those of the machine. */
function ofTheDay({ figures }: CityDay): CityDay["figures"] {
  return Object.fromEntries(Object.entries(figures).filter(([name]) => !/^(day|wall)Seconds$|^resident/.test(name)));
}

test("keeps D1 to D6 through declines, silence, early ends, cancellations and lies", { timeout: 60_000 }, async () => {
  const day = await playCityDay(job);
  expect(day.broken).toEqual([]);
  const { figures } = day;
  for (const trouble of ["revokedDeclined", "revokedOfferExpired", "revokedSilent", "cancelled", "surgedRides"] as const)
    expect(figures[trouble], trouble).toBeGreaterThan(0);
  for (const reason of ["DUPLICATE", "THROTTLED", "OUT_OF_ORDER", "IMPOSSIBLE"])
    expect(figures[`DriverLocation ${reason}`], reason).toBeGreaterThan(0);
  expect(figures["reassignmentRate"]).toBeGreaterThan(0.1);
  expect(figures["records"]).toBeGreaterThan(8_000);
});

test("the same seed gives the same bytes, in memory and on a disk", { timeout: 60_000 }, async () => {
  const short = { ...job, minutes: 2, drivers: 16, orders: 5, rides: 1 };
  const [first, second] = [await playCityDay(short), await playCityDay({ ...short, onDisk: true })];
  expect(second.digest).toBe(first.digest);
  expect(ofTheDay(second)).toEqual(ofTheDay(first));
  expect(Object.keys(first.figures)).toContain("residentMbAt100Percent");
});
