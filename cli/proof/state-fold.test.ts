/** The checks of a whole folder, over a small day: silent where all is well, and not where a row or a record is wrong. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";
import type { System } from "../system/open-system.ts";
import { checkEvents } from "./check-events.ts";
import { readTopic } from "./read-topic.ts";
import { checkStateFold } from "./state-fold.ts";

const data = join("world", "fixtures", "tiny");

/** A minute at which jobs wait, are held and are on board, and some are billed. */
const busyMinute = 760;

async function withDay(look: (system: System) => Promise<void>): Promise<void> {
  await simulateMdrp({ data, policy: "batch-matching", untilMinute: busyMinute, inspect: look });
}

/** The first row that says anything: an empty plan is nobody's hold. */
function withoutOne(rows: ReturnType<System["view"]["range"]>): ReturnType<System["view"]["range"]> {
  const at = rows.findIndex(({ value }) => !JSON.stringify(value).includes('"holds":[]'));
  return rows.toSpliced(at, 1);
}

describe("state is a fold of the log", () => {
  test("in the middle of a day", () =>
    withDay(async (system) => {
      const { violations, checked } = await checkStateFold(system);
      expect(violations).toEqual([]);
      expect(checked).toBeGreaterThan(30);
    }));

  test("and a store that lost, gained or kept an old row is named", () =>
    withDay(async ({ log, topics, view }) => {
      for (const store of ["jobs", "job-deadlines", "billed", "driver-plans", "matching-drivers"]) {
        const forged: System["view"] = {
          get: (name, key) => view.get(name, key),
          getMany: (name, keys) => view.getMany(name, keys),
          position: (name, partition) => view.position(name, partition),
          range: (name, range) => (name === store ? withoutOne(view.range(name, range)) : view.range(name, range)),
        };
        const { ok, violations } = await checkStateFold({ log, topics, view: forged });
        expect(ok).toBe(false);
        expect(violations[0]).toMatch(new RegExp(`^${store}\\[.*is absent, the log says`));
      }
    }));
});

test("an event said again without a refusal is found; what was not processed yet is not judged", () =>
  withDay(async (system) => {
    const { log, topics } = system;
    const [first] = await firstOf(readTopic(log, topics.orders));
    const key = Buffer.from(first?.value.orderId ?? "");
    const value = Buffer.alloc(4_096);
    const end = topics.orders.value.encode(first?.value ?? never(), value, 0);
    const producer = log.producer();
    producer.append(topics.orders.name, 0, first?.timestamp ?? 0, key, value.subarray(0, end));
    await producer.flush();
    await producer.close();
    expect(await checkEvents(system)).toMatchObject({ ok: true, saidAgain: 0 });
    // As if the application had read it and done it.
    const everything = {
      topics: log.topics,
      reader: () => log.reader(),
      offsets: {
        bound: (...of: Parameters<typeof log.offsets.bound>) => log.offsets.bound(...of),
        committed: (_: string, partitions: readonly unknown[]) => Promise.resolve(partitions.map(() => ({ offset: 1e9, metadata: "" }))),
      },
    } as unknown as System["log"]; // the part of a log that reading takes
    const { violations, saidAgain } = await checkEvents({ log: everything, topics });
    expect(saidAgain).toBe(1);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("was done a second time");
  }));

async function firstOf<Item>(source: AsyncIterable<Item>): Promise<readonly Item[]> {
  for await (const item of source) return [item];
  return [];
}

function never(): never {
  throw new Error("the day has no order");
}
