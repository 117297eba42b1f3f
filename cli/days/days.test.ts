/** A whole day of a small instance, end to end: feasible, sound, the same twice, and decided without knowing what comes. */
import { join } from "node:path";
import { checkInvariants, compareRuns, type History, type InvariantName } from "#proof";
import { describe, expect, test } from "vitest";
import { historyOf } from "../proof/prove.ts";
import { readRawTopics, topicPairs } from "../proof/read-raw.ts";
import { readTopic } from "../proof/read-topic.ts";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";
import { checkClairvoyance } from "./clairvoyance.ts";
import { checkDeterminism } from "./determinism.ts";
import { averageMetrics, averagesTable } from "./mdrp-averages.ts";
import { playMdrpDay } from "./mdrp-day.ts";
import { mdrpInstances } from "./mdrp-instances.ts";

const data = join("world", "fixtures", "tiny");

async function all<Item>(source: AsyncIterable<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe.each(["nearest", "batch-matching", "open-plan"])("a small day with %s", (policy) => {
  test("is feasible by every rule and keeps every invariant", async () => {
    const day = await playMdrpDay({ data, policy });
    expect(day).toMatchObject({ feasible: true, clean: true, broken: [] });
    // The small day is short of couriers: without bundles not all of it can be done.
    expect(day.metrics.delivered).toBeGreaterThanOrEqual(policy === "nearest" ? 20 : 30);
    expect(day.checked).toBeGreaterThan(100);
  });

  test("played twice gives the same bytes, and its matching input alone the same proposals", async () => {
    const { twice, replayed } = await checkDeterminism({ data, policy });
    expect(twice.violations).toEqual([]);
    expect(replayed.violations).toEqual([]);
    expect(twice.checked).toBeGreaterThan(1_000);
    expect(replayed.checked).toBeGreaterThan(20);
  });

  test("is decided up to a minute without knowing what is ordered after it", async () => {
    const { compared, differences } = await checkClairvoyance({ data, policy, draws: [0.2, 0.5, 0.8] });
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(20);
  });
});

test("a planted fault in the record of a day is found by the invariant that forbids it", async () => {
  await simulateMdrp({
    data,
    policy: "nearest",
    inspect: async ({ log, topics }) => {
      const trips = await all(readTopic(log, topics.trips));
      const bills = await all(readTopic(log, topics.bills));
      const refutedBy = async (change: Partial<History>): Promise<readonly InvariantName[]> => {
        const verdicts = await checkInvariants({ ...historyOf(log, topics), ...change }, { quiescent: true });
        return verdicts.filter(({ ok }) => !ok).map(({ invariant }) => invariant);
      };
      expect(await refutedBy({})).toEqual([]);
      const completed = trips.findIndex(({ value }) => value.state === "completed");
      const lost = await refutedBy({ trips: trips.toSpliced(completed, 1) });
      expect(lost).toEqual(expect.arrayContaining(["D3", "D4", "life"]));
      expect(await refutedBy({ bills: bills.slice(1) })).toEqual(["D4"]);
      const [bill] = bills;
      const twice = bills.concat(bill === undefined ? [] : [{ ...bill, offset: bills.length }]);
      expect(await refutedBy({ bills: twice })).toEqual(["D4"]);
    },
  });
});

test("two days that differ in one byte are told apart", async () => {
  await simulateMdrp({
    data,
    policy: "nearest",
    inspect: async ({ log, topics }) => {
      const raw = await readRawTopics(log);
      const bills = raw.get(topics.bills.name) ?? [];
      const forged = bills.map((bill, index) =>
        index === 3 ? { ...bill, value: Buffer.concat([bill.value ?? Buffer.of(), Buffer.of(0)]) } : bill,
      );
      expect((await compareRuns(topicPairs(raw, raw))).ok).toBe(true);
      const { violations } = await compareRuns(topicPairs(raw, new Map(raw).set(topics.bills.name, forged)));
      expect(violations).toEqual([`${topics.bills.name}-0@3: the runs differ in value`]);
    },
  });
});

test("averages stand beside the published means, a column a policy", async () => {
  const day = await playMdrpDay({ data, policy: "nearest" });
  const other = { ...day, policy: "other", metrics: { ...day.metrics, excess: day.metrics.excess + 2 } };
  expect(averageMetrics([day, other]).excess).toBeCloseTo(day.metrics.excess + 1);
  const { head, rows } = averagesTable([day, other]);
  expect(head.slice(0, 4)).toEqual(["mean over instances", "nearest", "other", "Reyes et al. 2018"]);
  const excess = rows.find(([label]) => label === "excess over the floor, min");
  expect(excess?.slice(1, 4)).toEqual([day.metrics.excess.toFixed(2), (day.metrics.excess + 2).toFixed(2), "2.39"]);
  for (const row of rows) expect(row).toHaveLength(head.length);
});

test("a folder without instances is refused with what to name instead", () => {
  expect(mdrpInstances(join("world", "fixtures"))).toEqual([data]);
  expect(() => mdrpInstances("docs")).toThrow(expect.objectContaining({ code: "USAGE" }));
});
