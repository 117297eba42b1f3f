import { memoryDisk } from "#disk";
import { RecordBatchCursor, openEmbeddedLog } from "#log";
import type { EmbeddedLog } from "#log";
import { createSerdes, memoryRegistry } from "#schemas";
import type { AssignmentEvent } from "#schemas";
import { murmur2 } from "#streams";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cityConfig } from "../city/city-config.ts";
import { cityHistoryMs, cityWorldId, createCityWorld } from "../city/city-world.ts";
import { readInstance } from "../mdrp/read-instance.ts";
import { MINUTE_MS, createMdrpWorld, mdrpWorldId } from "../mdrp/mdrp-world.ts";
import { SolutionRecorder } from "../mdrp/solution-recorder.ts";
import { GreedyDispatcher } from "../testing/greedy-dispatcher.ts";
import type { WorldEvent } from "../world.ts";
import { positionsOf, readTo } from "./history.ts";
import { WorldClient } from "./world-client.ts";
import type { WorldClientOptions } from "./world-client.ts";

const serdes = createSerdes(memoryRegistry());
const partitions = 3;
const partitionOf = (key: Uint8Array, count: number): number => (murmur2(key) & 0x7fff_ffff) % count;
const topics = {
  orders: { name: "orders", partitions, value: serdes.orders },
  rides: { name: "rides", partitions, value: serdes.rides },
  driverEvents: { name: "driver-events", partitions, value: serdes.driverEvents },
  driverLocations: { name: "driver-locations", partitions, value: serdes.driverLocations },
  assignments: { name: "assignments", partitions, value: serdes.assignments },
  trips: { name: "trips", partitions, value: serdes.trips },
  driverMoves: { name: "driver-moves", partitions, value: serdes.driverMoves },
};

/** Dispatch as a second process over the same log: it reads what reached the log, and publishes at each tick. */
class LogDispatcher {
  readonly #log: EmbeddedLog;
  readonly #greedy = new GreedyDispatcher(2);
  readonly #cursor = new RecordBatchCursor();
  readonly #reader;
  readonly #producer;

  constructor(log: EmbeddedLog) {
    this.#log = log;
    this.#reader = this.#log.reader();
    this.#producer = log.producer();
    const heard = [topics.orders, topics.driverEvents].flatMap(({ name }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    );
    this.#reader.assign(heard.map((of) => ({ ...of, offset: 0, outOfRange: "fail" })));
  }

  hear(): void {
    const events: WorldEvent[] = [];
    for (const { topic, bytes, baseOffset } of this.#reader.poll()) {
      const cursor = this.#cursor;
      cursor.reset(bytes, baseOffset);
      while (cursor.next()) {
        const { timestamp, valueStart, valueEnd } = cursor;
        if (topic === "orders")
          events.push({ topic: "orders", key: "", timestamp, value: serdes.orders.decode(cursor.bytes, valueStart, valueEnd) });
        else
          events.push({ topic: "driverEvents", key: "", timestamp, value: serdes.driverEvents.decode(cursor.bytes, valueStart, valueEnd) });
      }
    }
    for (const event of events.sort((a, b) => a.timestamp - b.timestamp || (a.value.eventId < b.value.eventId ? -1 : 1)))
      this.#greedy.hear(event);
  }

  async tick(at: number): Promise<void> {
    this.hear();
    for (const event of this.#greedy.tick(at)) await this.#publish(event);
    await this.#producer.flush();
  }

  async #publish(event: AssignmentEvent): Promise<void> {
    const scratch = Buffer.alloc(1_000);
    const end = serdes.assignments.encode(event, scratch, 0);
    const key = Buffer.from(event.jobId);
    this.#producer.append("assignments", partitionOf(key, partitions), event.at, key, scratch.subarray(0, end));
  }
}

/** Everything the log has of one topic, as JSON. */
async function contentOf(log: EmbeddedLog, topic: "orders" | "driverEvents" | "driverLocations"): Promise<string[]> {
  const found: string[] = [];
  const reader = log.reader();
  await readTo(log, reader, await positionsOf(log, [topics[topic]], -Infinity), (cursor) => {
    found.push(JSON.stringify(topics[topic].value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd)));
  });
  await reader.close();
  return found.sort();
}

interface Run {
  readonly log: EmbeddedLog;
  readonly options: (now: number | undefined) => WorldClientOptions;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly tickMs: number;
  /** At which steps the world's process dies, and whether before its flush. */
  readonly kills: readonly number[];
}

async function play({ log, options, startsAt, endsAt, tickMs, kills }: Run): Promise<WorldClient> {
  const dispatcher = new LogDispatcher(log);
  let client = await WorldClient.open(options(undefined));
  let nextTick = startsAt;
  for (let step = 0, now = startsAt; now <= endsAt; step++) {
    client.step(now);
    // Half of the deaths come before the flush, the other half after it.
    const dies = kills.includes(step);
    if (!dies || step % 2 === 0) await client.flush();
    if (dies) {
      client = await WorldClient.open(options(now));
      await client.flush();
    }
    dispatcher.hear();
    if (now === nextTick && client.nextDueAt() > now) {
      await dispatcher.tick(now);
      nextTick += tickMs;
      client.observe();
    }
    now = Math.min(Math.max(now, client.nextDueAt()), nextTick);
  }
  return client;
}

async function openLog(): Promise<EmbeddedLog> {
  const opened = await openEmbeddedLog({ disk: memoryDisk(), durability: "process" });
  await opened.topics.ensure(Object.values(topics).map(({ name }) => ({ name, partitions, cleanup: "delete" })));
  return opened;
}

describe("a world on a log", () => {
  let log: EmbeddedLog;
  let other: EmbeddedLog;
  beforeEach(async () => {
    log = await openLog();
    other = await openLog();
  });
  afterEach(async () => {
    await log.close();
    await other.close();
  });

  test("plays a day, and killed again and again it leaves the same topics and the same solution, nothing doubled", async () => {
    const instance = readInstance(new URL("../fixtures/tiny/", import.meta.url).pathname);
    const startsAt = Date.UTC(2026, 0, 1) + 640 * MINUTE_MS;
    let recorder = new SolutionRecorder({ instance });
    const optionsFor = (on: EmbeddedLog) => (): WorldClientOptions => ({
      log: on,
      topics,
      partitionOf,
      worldId: mdrpWorldId(instance),
      create: () => {
        recorder = new SolutionRecorder({ instance });
        return createMdrpWorld({ instance, journal: recorder });
      },
    });
    const run = { startsAt, endsAt: startsAt + 300 * MINUTE_MS, tickMs: MINUTE_MS };
    await play({ ...run, log, options: optionsFor(log), kills: [] });
    const files = recorder.files();
    expect(files["solution_info_assignments.txt"].split("\n").length).toBeGreaterThan(15);
    const kills = [0, 3, 8, 15, 30, 31, 60, 101, 144, 190, 191, 240, 300, 333];
    const last = await play({ ...run, log: other, options: optionsFor(other), kills });
    expect(last.resumed.known).toBeGreaterThan(90);
    expect(recorder.files()).toEqual(files);
    for (const topic of ["orders", "driverEvents", "driverLocations"] as const)
      expect(await contentOf(other, topic)).toEqual(await contentOf(log, topic));
  });

  test("a city comes back with each driver where he was, and its devices keep their rhythm", async () => {
    const config = cityConfig({
      seed: 3,
      drivers: 12,
      ordersPerMinute: 4,
      ridesPerMinute: 1,
      restaurants: 5,
      radiusMetres: 2_000,
      shiftMs: 25 * MINUTE_MS,
    });
    const startsAt = Date.UTC(2026, 5, 1, 12);
    const optionsFor =
      (on: EmbeddedLog) =>
      (now: number | undefined): WorldClientOptions => ({
        log: on,
        topics,
        partitionOf,
        worldId: cityWorldId(config),
        create: (origin) => createCityWorld({ config, origin: origin ?? startsAt }),
        ...(now === undefined ? {} : { now, historyMs: cityHistoryMs(config, 30 * MINUTE_MS) }),
      });
    const run = { startsAt, endsAt: startsAt + 40 * MINUTE_MS, tickMs: 10_000 };
    await play({ ...run, log, options: optionsFor(log), kills: [] });
    await play({ ...run, log: other, options: optionsFor(other), kills: [1, 200, 901, 1502, 2003, 3010] });
    for (const topic of ["orders", "driverEvents", "driverLocations"] as const) {
      const content = await contentOf(log, topic);
      expect(content.length).toBeGreaterThan(100);
      expect(await contentOf(other, topic)).toEqual(content);
    }
  });

  test("what could not be flushed is said again with the next flush", async () => {
    const instance = readInstance(new URL("../fixtures/tiny/", import.meta.url).pathname);
    let fails = true;
    const producer = log.producer();
    const flaky = {
      reader: log.reader.bind(log),
      offsets: log.offsets,
      version: () => log.version(),
      changed: (since: number) => log.changed(since),
      producer: () => ({
        append: producer.append.bind(producer),
        close: () => producer.close(),
        bufferedBytes: 0,
        flush: () => (fails ? Promise.reject(new Error("the log is away")) : producer.flush()),
      }),
    };
    const options = { log: flaky, topics, partitionOf, worldId: mdrpWorldId(instance), create: () => createMdrpWorld({ instance }) };
    await using client = await WorldClient.open(options);
    client.step(Date.UTC(2026, 0, 1) + 670 * MINUTE_MS);
    const said = client.unflushed;
    expect(said).toBeGreaterThan(5);
    await expect(client.flush()).rejects.toThrow("away");
    expect(client.unflushed).toBe(said);
    fails = false;
    await client.flush();
    expect(client.unflushed).toBe(0);
    expect(client.produced).toBe(said);
  });

  test("a city does not place the orders of the time in which it was down, if told so", async () => {
    const config = cityConfig({ seed: 3, drivers: 2, ordersPerMinute: 60, ridesPerMinute: 0, gpsEveryMs: 0 });
    const startsAt = Date.UTC(2026, 5, 1, 12);
    const options: WorldClientOptions = {
      log,
      topics,
      partitionOf,
      worldId: cityWorldId(config),
      create: (origin) => createCityWorld({ config, origin: origin ?? startsAt }),
      missedDemand: "skip",
    };
    const client = await WorldClient.open(options);
    client.step(startsAt + MINUTE_MS);
    await client.flush();
    const before = (await contentOf(log, "orders")).length;
    const back = await WorldClient.open({ ...options, now: startsAt + 10 * MINUTE_MS });
    await back.flush();
    const missed = (await contentOf(log, "orders")).length - before;
    expect(missed).toBeGreaterThan(0);
    expect(missed).toBeLessThan(25);
  });
});
