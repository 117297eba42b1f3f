/**
 * One append for all requests of a few milliseconds: the log's commit lock is taken so often at most, whatever the number of
 * clients, and the worker threads wait for nobody.
 */
import { randomUUID } from "node:crypto";
import type { AppendedRange, Log, Producer } from "#log";
import { encodeKey, partitionFor, type Topic } from "#streams";
import type { DispatchTopics } from "#topologies";
import { ApiError } from "../errors.ts";
import { BATCH_EVENTS_MAX, type AcceptedRecord, type Ingest, type IngestEvent, type IngestKind, type IngestRequest } from "./ingest.ts";
import { kindRules, readEvent, serdeProblem } from "./read-event.ts";

export interface BatchingIngestOptions {
  readonly log: Pick<Log, "producer">;
  readonly topics: Pick<DispatchTopics, "driverLocations" | "driverEvents" | "orders" | "rides">;
  /** Of the records, and what times of events are compared with. */
  readonly now: () => number;
  /** How long a request waits for others; default 2. */
  readonly lingerMs?: number;
}

const LINGER_MS = 2;
/** Waiting for the log, of all requests. */
const PENDING_BYTES_MAX = 16 * 1024 * 1024;
const RETRY_AFTER_MS = 200;
const SCRATCH_BYTES = 64 * 1024;

interface Encoded {
  readonly eventId: string;
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

interface Placed {
  readonly eventId: string;
  readonly topic: string;
  readonly partition: number;
  /** Which record of its partition, in the append that carries it. */
  readonly ordinal: number;
}

interface Waiting {
  readonly placed: readonly Placed[];
  readonly resolve: (records: readonly AcceptedRecord[]) => void;
  readonly reject: (error: unknown) => void;
}

export class BatchingIngest implements Ingest {
  readonly #options: BatchingIngestOptions;
  readonly #topics: Readonly<Record<IngestKind, Topic<string, IngestEvent>>>;
  readonly #producer: Producer;
  #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  #waiting: Waiting[] = [];
  #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(options: BatchingIngestOptions) {
    this.#options = options;
    const { driverLocations, driverEvents, orders, rides } = options.topics;
    const byKind = { "driver-locations": driverLocations, "driver-events": driverEvents, orders, rides };
    // Each is given events of its own kind alone: `readEvent` makes them from the schema of the kind.
    this.#topics = byKind as unknown as Readonly<Record<IngestKind, Topic<string, IngestEvent>>>;
    this.#producer = options.log.producer();
  }

  async accept({ kind, body, idempotencyKey, mayConcern }: IngestRequest): Promise<readonly AcceptedRecord[]> {
    const isList = Array.isArray(body);
    const values: readonly unknown[] = isList ? body : [body];
    if (values.length === 0) throw new ApiError("VALIDATION", "field= reason=an empty list");
    if (values.length > BATCH_EVENTS_MAX) throw new ApiError("LIMIT_EXCEEDED", `${values.length} events, at most ${BATCH_EVENTS_MAX}`);
    if (this.#producer.bufferedBytes > PENDING_BYTES_MAX)
      throw new ApiError("OVERLOADED", "the log takes less than is sent", { reason: "LOG_SLOW", retryAfterMs: RETRY_AFTER_MS });
    const at = this.#options.now();
    // All are made before the first is appended: a body is taken whole or not at all.
    const encoded = values.map((value, index) => {
      const suffix = isList ? `.${index}` : "";
      const eventId = idempotencyKey === undefined ? undefined : `${idempotencyKey}${suffix}`;
      try {
        return this.#encode(kind, value, { eventId, at, mayConcern });
      } catch (error) {
        if (isList && error instanceof ApiError && error.code !== "FORBIDDEN")
          throw new ApiError(error.code, `event ${index}: ${error.message}`, { cause: error });
        throw error;
      }
    });
    return this.#append(encoded, at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#flush();
    await this.#producer.close();
  }

  #encode(
    kind: IngestKind,
    value: unknown,
    { eventId, at, mayConcern }: { readonly eventId: string | undefined; readonly at: number } & Pick<IngestRequest, "mayConcern">,
  ): Encoded {
    const { entity } = kindRules[kind];
    const topic = this.#topics[kind];
    const withId = eventId === undefined && !hasEventId(value) ? randomUUID() : eventId;
    const { id, event } = readEvent(value, { kind, eventId: withId, at });
    if (!mayConcern(entity, id)) throw new ApiError("FORBIDDEN", "this token does not allow it");
    try {
      // What is wrong within its fields is found here.
      let end = topic.value.encode(event, this.#scratch, 0);
      if (end > this.#scratch.length) {
        this.#scratch = Buffer.allocUnsafe(end);
        end = topic.value.encode(event, this.#scratch, 0);
      }
      const key = encodeKey(topic.key, id);
      const bytes = Buffer.from(this.#scratch.subarray(0, end));
      return { eventId: event.eventId, topic: topic.name, partition: partitionFor(topic, id, key), key, value: bytes };
    } catch (error) {
      throw serdeProblem(error);
    }
  }

  #append(encoded: readonly Encoded[], at: number): Promise<readonly AcceptedRecord[]> {
    if (this.#closed)
      throw new ApiError("NOT_READY", "this process is about to stop", { reason: "DRAINING", retryAfterMs: RETRY_AFTER_MS });
    const placed = encoded.map(({ eventId, topic, partition, key, value }): Placed => {
      this.#producer.append(topic, partition, at, key, value);
      const place = `${topic} ${partition}`;
      const ordinal = this.#counts.get(place) ?? 0;
      this.#counts.set(place, ordinal + 1);
      return { eventId, topic, partition, ordinal };
    });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ placed, resolve, reject });
      if (this.#flushing === undefined) this.#timer ??= setTimeout(() => this.#start(), this.#options.lingerMs ?? LINGER_MS);
    });
  }

  #start(): void {
    this.#timer = undefined;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
      // What came meanwhile has waited long enough.
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#counts = new Map();
    try {
      const ranges = await this.#producer.flush();
      for (const { placed, resolve } of waiting) resolve(placed.map((record) => positionOf(record, ranges)));
    } catch (cause) {
      const message = "the log did not say that it has the events; send them again with the same ids";
      for (const { reject } of waiting) reject(new ApiError("LOG_UNAVAILABLE", message, { cause, retryAfterMs: RETRY_AFTER_MS }));
    }
  }
}

function hasEventId(value: unknown): boolean {
  return typeof value === "object" && value !== null && "eventId" in value;
}

/** A partition may be in several ranges, in the order of its records. */
function positionOf({ eventId, topic, partition, ordinal }: Placed, ranges: readonly AppendedRange[]): AcceptedRecord {
  let left = ordinal;
  for (const range of ranges) {
    if (range.topic !== topic || range.partition !== partition) continue;
    if (left < range.count) return { eventId, topic, partition, offset: range.baseOffset + left };
    left -= range.count;
  }
  throw new TypeError(`the log did not say where record ${ordinal} of ${topic}/${partition} is`);
}
