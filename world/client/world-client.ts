/** A world as a client of a log: it reads what dispatch decided and produces what its people do, like any foreign program. */
import { RecordBatchCursor } from "#log";
import type { Producer, Reader } from "#log";
import { CLIENT_DEFAULTS } from "../defaults.ts";
import { replay } from "../replay.ts";
import type { World, WorldEvent } from "../world.ts";
import { decision, eachRecord, positionsOf, readLastLocations, readProduced, readTo } from "./history.ts";
import type { WorldLog } from "./history.ts";
import type { WorldTopic, WorldTopics } from "./world-topics.ts";

export interface WorldClientOptions {
  readonly log: WorldLog;
  readonly topics: WorldTopics;
  /** As all producers of these topics place keys. */
  readonly partitionOf: (keyBytes: Uint8Array, partitions: number) => number;
  /** The world's id: what it produced before is known by it. */
  readonly worldId: string;
  /** Makes the world; `origin` is the time of its oldest event in the log, undefined for a first start. */
  readonly create: (origin: number | undefined) => World;
  /**
   * Present time where the clock goes on while the world is down. Undefined where it stands still then: the world goes on at
   * the time of the last record that the log has of it.
   */
  readonly now?: number;
  /** How much of the past is read; needs `now`. Default: all that the log holds. */
  readonly historyMs?: number;
  /** Orders and rides that were due while the world was down: "produce" them late (default), or "skip" them as never placed. */
  readonly missedDemand?: "produce" | "skip";
}

export interface Resumed {
  /** Undefined: there was no past. */
  readonly at: number | undefined;
  /** Events that the past had of this world. */
  readonly known: number;
  /** Events that were due and are in no topic: they go with the first flush. */
  readonly missing: number;
}

/**
 * Step it in virtual time whenever something may be due or new, in real time whenever the log changed or `nextDueAt` has come:
 * `step(now)`, then `await flush()`. Killed at any moment and opened again it goes on without a double.
 */
export class WorldClient implements AsyncDisposable {
  readonly world: World;
  readonly resumed: Resumed;
  readonly #options: WorldClientOptions;
  readonly #reader: Reader;
  readonly #producer: Producer;
  readonly #cursor = new RecordBatchCursor();
  #scratch = Buffer.allocUnsafe(CLIENT_DEFAULTS.recordBytes);
  /** Said and not yet known to be in the log. */
  #unflushed: WorldEvent[];
  #produced = 0;

  private constructor(
    options: WorldClientOptions,
    parts: { world: World; reader: Reader; resumed: Resumed; missing: readonly WorldEvent[] },
  ) {
    this.world = parts.world;
    this.resumed = parts.resumed;
    this.#options = options;
    this.#reader = parts.reader;
    this.#producer = options.log.producer();
    this.#unflushed = [...parts.missing];
  }

  /** Reads the world's past and brings it to the present. The topics must exist. */
  static async open(options: WorldClientOptions): Promise<WorldClient> {
    const { log, topics, worldId, now } = options;
    const since = now === undefined ? -Infinity : now - (options.historyMs ?? Infinity);
    const produced = await readProduced(log, topics, worldId, since);
    const world = options.create(Number.isFinite(produced.firstAt) ? produced.firstAt : undefined);
    if (world.id !== worldId) throw new TypeError(`a world with the id ${worldId} expected, made was ${world.id}`);
    const reader = log.reader();
    const observed: Parameters<World["observe"]>[0][] = [];
    let lastAt = produced.lastAt;
    const owns = (jobId: string): boolean => world.owns(jobId);
    const past = await positionsOf(log, [topics.assignments, topics.trips, topics.driverMoves], since);
    await readTo(log, reader, past, (cursor, { topic }) => {
      const record = decision(topics, owns, cursor, topic);
      if (record === undefined) return;
      observed.push(record);
      lastAt = Math.max(lastAt, record.at);
    });
    if (produced.known.size === 0)
      return new WorldClient(options, { world, reader, resumed: { at: undefined, known: 0, missing: 0 }, missing: [] });
    const until = now ?? lastAt;
    const locationsFrom = until - CLIENT_DEFAULTS.locationTailMs;
    const lastLocations = await readLastLocations(log, topics, locationsFrom);
    const all = replay(world, { known: produced.known, observed, lastLocations }, { until, locationsFrom });
    const missing = all.filter((event) => isMissing(event, { options, until, lastAt: produced.lastAt }));
    const resumed = { at: until, known: produced.known.size, missing: missing.length };
    return new WorldClient(options, { world, reader, resumed, missing });
  }

  /** Records produced by this client and known to be in the log. */
  get produced(): number {
    return this.#produced;
  }

  /** Said and not yet in the log: `flush` has work. */
  get unflushed(): number {
    return this.#unflushed.length;
  }

  nextDueAt(): number {
    return this.world.nextDueAt();
  }

  /** Hears what is new, does what is due. False: nothing was new or due. */
  step(now: number): boolean {
    const heard = this.observe();
    const events = this.world.run(now);
    for (const event of events) this.#unflushed.push(event);
    return heard || events.length > 0;
  }

  /** Only hears what is new; false when nothing was. */
  observe(): boolean {
    const { topics } = this.#options;
    const owns = (jobId: string): boolean => this.world.owns(jobId);
    for (let poll = 0; poll < CLIENT_DEFAULTS.pollsPerStepMax; poll++) {
      const batches = this.#reader.poll();
      if (batches.length === 0) return poll > 0;
      for (const batch of batches) {
        eachRecord(this.#cursor, batch, (cursor) => {
          const record = decision(topics, owns, cursor, batch.topic);
          if (record !== undefined) this.world.observe(record);
        });
      }
    }
    return true;
  }

  /**
   * Everything said so far is in the log when it resolves. When it rejects, it may or may not be: the next flush says it
   * again, and dispatch refuses what it knows already.
   */
  async flush(): Promise<void> {
    const events = this.#unflushed;
    if (events.length === 0) return;
    this.#unflushed = [];
    try {
      for (const event of events) this.#append(event);
      await this.#producer.flush();
    } catch (error) {
      this.#unflushed = [...events, ...this.#unflushed];
      throw error;
    }
    this.#produced += events.length;
  }

  /** What is unflushed is said again by the next world of this id. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
    await this.#producer.close();
  }

  #append(event: WorldEvent): void {
    const { topics } = this.#options;
    switch (event.topic) {
      case "orders":
        return this.#send(topics.orders, event, event.value);
      case "rides":
        return this.#send(topics.rides, event, event.value);
      case "driverEvents":
        return this.#send(topics.driverEvents, event, event.value);
      case "driverLocations":
        return this.#send(topics.driverLocations, event, event.value);
      default:
        return never(event);
    }
  }

  #send<V>(topic: WorldTopic<V>, { key, timestamp }: WorldEvent, value: V): void {
    const keyBytes = Buffer.from(key);
    let end = topic.value.encode(value, this.#scratch, 0);
    if (end > this.#scratch.length) {
      this.#scratch = Buffer.allocUnsafe(2 * end);
      end = topic.value.encode(value, this.#scratch, 0);
    }
    const partition = this.#options.partitionOf(keyBytes, topic.partitions);
    this.#producer.append(topic.name, partition, timestamp, keyBytes, this.#scratch.subarray(0, end));
  }
}

interface Present {
  readonly options: WorldClientOptions;
  readonly until: number;
  readonly lastAt: number;
}

/** Of a past that was read only in part, the beginning is guesswork: what lies long before its last event was produced, or never was. */
function isMissing(event: WorldEvent, { options, until, lastAt }: Present): boolean {
  const { historyMs = Infinity, missedDemand } = options;
  if (historyMs < Infinity && event.timestamp < lastAt - CLIENT_DEFAULTS.lateMs) return false;
  const demand = event.topic === "orders" || event.topic === "rides";
  return !demand || missedDemand !== "skip" || event.timestamp >= until - CLIENT_DEFAULTS.missedDemandMs;
}

function never(event: never): never {
  throw new TypeError(`no such event: ${JSON.stringify(event)}`);
}
