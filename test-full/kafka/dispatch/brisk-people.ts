/**
 * People of a small world as foreign clients: orders, drivers that carry each out within a second, devices that tell where they are.
 * They write by KafkaJS in transactions of their own, some of which they abort, and say again what has had no effect.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel, type Producer } from "kafkajs";
import type { LogAlone } from "#cli";
import { RecordBatchCursor, type Reader } from "#log";
import type { DriverEvent, DriverLocation, OrderEvent, Point } from "#schemas";
import { seededDraws } from "../../seeded-draws.ts";

export interface BriskPeopleOptions {
  readonly brokers: readonly string[];
  /** Topics with their serdes, and the log that assignments and trips are read from. */
  readonly dispatch: Pick<LogAlone, "log" | "topics">;
  readonly drivers: number;
  readonly ordersPerSecond: number;
  readonly seed: number;
}

export interface BriskTotals {
  readonly orders: number;
  /** Jobs that have not ended. */
  readonly unfinished: readonly string[];
  readonly completed: number;
  readonly cancelled: number;
  readonly failed: number;
  /** Records of transactions that were given up on purpose. */
  readonly aborted: number;
  /** Producers made anew: KafkaJS gives up when brokers die. */
  readonly renewed: number;
}

type Said =
  | { readonly topic: "orders"; readonly key: string; readonly value: OrderEvent }
  | { readonly topic: "driverEvents"; readonly key: string; readonly value: DriverEvent }
  | { readonly topic: "driverLocations"; readonly key: string; readonly value: DriverLocation };

interface Job {
  readonly placed: OrderEvent & { readonly type: "OrderPlaced" };
  /** What its driver says next, each at its time. */
  steps: readonly { readonly at: number; readonly event: DriverEvent; readonly position: Point }[];
  stepsSaid: number;
  /** Infinity: nobody takes it back. */
  readonly cancelAt: number;
  cancelSaid: boolean;
  /** Of its last sign of life; without one it is said again. */
  heardAt: number;
  ended: boolean;
}

/** Of what is said in a transaction that is given up. */
export const ABORTED_PREFIX = "aborted-";

const TOWNS = 3;
/** Towns are in cells of their own. */
const TOWN_DEGREES = 3;
const STREETS_DEGREES = 0.003;
const STEP_MS = 50;
const LOCATION_EVERY_MS = 5_000;
const STOPS_EVERY_MS = 250;
const CANCEL_AFTER_MS = 1_000;
const CANCEL_SHARE = 0.05;
const SILENT_MS_MAX = 10_000;
const SHIFT_AGAIN_MS = 20_000;
const OPEN_PER_DRIVER_MAX = 2;
const ABORT_EVERY = 6;
const DRAWS = 100_000;

export class BriskPeople implements AsyncDisposable {
  readonly #options: BriskPeopleOptions;
  readonly #draws: readonly number[];
  readonly #jobs = new Map<string, Job>();
  readonly #open = new Set<string>();
  readonly #ends = { completed: 0, cancelled: 0, failed: 0 };
  readonly #positions: Point[];
  readonly #locatedAt: number[];
  readonly #reader: Reader;
  readonly #cursor = new RecordBatchCursor();
  readonly #bytes = Buffer.alloc(4_096);
  #producer: Producer | undefined;
  #placing = true;
  #living = true;
  #begunAt = 0;
  #placedAt = 0;
  #shiftsSaidAt = -Infinity;
  #drawn = 0;
  #transactions = 0;
  #aborted = 0;
  #renewed = 0;
  #life: Promise<void> = Promise.resolve();

  constructor(options: BriskPeopleOptions) {
    this.#options = options;
    this.#draws = seededDraws(`people ${options.seed}`, DRAWS);
    this.#positions = Array.from({ length: options.drivers }, (_, driver) => this.#somewhere(driver % TOWNS));
    this.#locatedAt = Array.from({ length: options.drivers }, () => -Infinity);
    const { log, topics } = options.dispatch;
    this.#reader = log.reader();
    this.#reader.assign(
      [topics.assignments, topics.trips].flatMap(({ name, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, offset: 0, outOfRange: "start" as const })),
      ),
    );
  }

  /** They live from then on; what makes them fail is heard at `end`. */
  begin(): void {
    this.#begunAt = Date.now();
    this.#placedAt = this.#begunAt;
    this.#life = this.#live();
    this.#life.catch(() => {});
  }

  get completed(): number {
    return this.#ends.completed;
  }

  /** Nobody orders any more; resolves when each job has ended, or with those that have not after so long. */
  async end(msMax: number): Promise<BriskTotals> {
    this.#placing = false;
    for (const until = performance.now() + msMax; this.#open.size > 0 && performance.now() < until;)
      await Promise.race([this.#life, sleep(STEP_MS)]);
    this.#living = false;
    await this.#life;
    return { orders: this.#jobs.size, unfinished: [...this.#open], ...this.#ends, aborted: this.#aborted, renewed: this.#renewed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#living = false;
    await this.#life.catch(() => {});
    await this.#reader.close();
    await this.#producer?.disconnect().catch(() => {});
  }

  async #live(): Promise<void> {
    while (this.#living) {
      this.#observe();
      const said = this.#due(Date.now());
      if (said.length > 0) await this.#say(said);
      await sleep(STEP_MS);
    }
  }

  #draw(): number {
    return this.#draws[this.#drawn++ % DRAWS] ?? 0;
  }

  #somewhere(town: number): Point {
    const [latitude, longitude] = [36 + town * TOWN_DEGREES, 3 + town * TOWN_DEGREES];
    return { latitude: latitude + this.#draw() * STREETS_DEGREES, longitude: longitude + this.#draw() * STREETS_DEGREES };
  }

  #due(now: number): readonly Said[] {
    const said: Said[] = [];
    if (now - this.#shiftsSaidAt > SHIFT_AGAIN_MS) {
      this.#shiftsSaidAt = now;
      this.#positions.forEach((position, driver) => said.push(this.#shift(driver, position)));
    }
    const { ordersPerSecond, drivers } = this.#options;
    // Where things take long nobody orders on and on: what is open at the end is to be done then.
    const open = drivers * OPEN_PER_DRIVER_MAX;
    for (let due = ((now - this.#placedAt) * ordersPerSecond) / 1_000; this.#placing && due >= 1 && this.#open.size < open; due--) {
      this.#placedAt = now;
      this.#place(now);
    }
    for (const jobId of this.#open) this.#sayOf(jobId, now, said);
    this.#positions.forEach((position, driver) => {
      if (now - (this.#locatedAt[driver] ?? 0) < LOCATION_EVERY_MS) return;
      this.#locatedAt[driver] = now;
      said.push(location(idOf(driver), position, now));
    });
    return said;
  }

  #place(now: number): void {
    const number = this.#jobs.size;
    const town = number % TOWNS;
    const orderId = `job-${number}`;
    const places = { pickup: this.#somewhere(town), dropOff: this.#somewhere(town), readyAt: now, notBefore: now };
    const price = { requirements: [], priceMinor: 1_000 + (number % 1_000), currency: "EUR" };
    const head = { eventId: `${orderId}/placed`, orderId, occurredAt: now, version: 1, restaurantId: `r-${town}` };
    const placed = { type: "OrderPlaced" as const, ...head, ...places, ...price };
    const cancelAt = this.#draw() < CANCEL_SHARE ? now + CANCEL_AFTER_MS : Infinity;
    this.#jobs.set(orderId, { placed, steps: [], stepsSaid: 0, cancelAt, cancelSaid: false, heardAt: -Infinity, ended: false });
    this.#open.add(orderId);
  }

  /** Its placing, and what its driver does; again after a while without an answer. */
  #sayOf(jobId: string, now: number, said: Said[]): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    if (now - job.heardAt > SILENT_MS_MAX) {
      job.heardAt = now;
      job.stepsSaid = 0;
      job.cancelSaid = false;
      said.push({ topic: "orders", key: jobId, value: job.placed });
    }
    if (now >= job.cancelAt && !job.cancelSaid) {
      job.cancelSaid = true;
      const head = { eventId: `${jobId}/cancelled`, orderId: jobId, occurredAt: now, version: 2 };
      said.push({ topic: "orders", key: jobId, value: { type: "OrderCancelled", ...head, reason: "customer" } });
    }
    for (let step = job.steps[job.stepsSaid]; step !== undefined && step.at <= now; step = job.steps[job.stepsSaid]) {
      job.stepsSaid++;
      said.push({ topic: "driverEvents", key: step.event.driverId, value: { ...step.event, occurredAt: now } });
      this.#positions[driverOf(step.event.driverId)] = step.position;
    }
  }

  #shift(driver: number, position: Point): Said {
    const driverId = idOf(driver);
    const head = { eventId: `${driverId}/shift`, driverId, occurredAt: this.#begunAt };
    return {
      topic: "driverEvents",
      key: driverId,
      value: { type: "ShiftStarted", ...head, position, vehicle: "car", tags: [], capacity: 2, endsAt: null },
    };
  }

  #observe(): void {
    const { assignments, trips } = this.#options.dispatch.topics;
    const cursor = this.#cursor;
    const now = Date.now();
    for (const batch of this.#reader.poll()) {
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next()) {
        if (cursor.offset < batch.fetchOffset) continue;
        const { bytes, valueStart, valueEnd } = cursor;
        if (batch.topic === trips.name) this.#tripOf(trips.value.decode(bytes, valueStart, valueEnd), now);
        else {
          const event = assignments.value.decode(bytes, valueStart, valueEnd);
          if (event.type === "DriverAssigned") this.#carry(event.jobId, event.driverId, event.attempt, now);
        }
      }
    }
  }

  #tripOf({ jobId, state }: { readonly jobId: string; readonly state: string }, now: number): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    job.heardAt = now;
    if (state !== "completed" && state !== "cancelled" && state !== "failed") return;
    if (!job.ended) this.#ends[state]++;
    job.ended = true;
    this.#open.delete(jobId);
  }

  #carry(jobId: string, driverId: string, attempt: number, now: number): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    const { pickup, dropOff } = job.placed;
    const base = { driverId, jobId, attempt, occurredAt: now };
    const step = (type: "ArrivedAtPickup" | "PickedUp" | "DroppedOff", stops: number, position: Point) => ({
      at: now + stops * STOPS_EVERY_MS,
      event: { ...base, type, eventId: `${jobId}/${attempt}/${type}` },
      position,
    });
    job.steps = [step("ArrivedAtPickup", 1, pickup), step("PickedUp", 2, pickup), step("DroppedOff", 3, dropOff)];
    job.stepsSaid = 0;
    job.heardAt = now;
  }

  /** All of it in one transaction, again until one is known to be committed. */
  async #say(said: readonly Said[]): Promise<void> {
    const topicMessages = this.#messages(said);
    for (;;) {
      try {
        this.#producer ??= await this.#connect();
        if (++this.#transactions % ABORT_EVERY === 0) {
          const given = await this.#producer.transaction();
          await given.sendBatch({ topicMessages: this.#messages(said.map(withOtherIds)), acks: -1 });
          await given.abort();
          this.#aborted += said.length;
        }
        const transaction = await this.#producer.transaction();
        await transaction.sendBatch({ topicMessages, acks: -1 });
        await transaction.commit();
        return;
      } catch {
        if (!this.#living) return;
        this.#renewed++;
        await this.#producer?.disconnect().catch(() => {});
        this.#producer = undefined;
        await sleep(STEP_MS);
      }
    }
  }

  #messages(said: readonly Said[]): { topic: string; messages: { key: string; value: Buffer }[] }[] {
    const { topics } = this.#options.dispatch;
    const byTopic = new Map<string, { key: string; value: Buffer }[]>();
    for (const each of said) {
      const end = this.#encode(each);
      const { name } = topics[each.topic];
      const list = byTopic.get(name) ?? [];
      byTopic.set(name, list);
      list.push({ key: each.key, value: Buffer.from(this.#bytes.subarray(0, end)) });
    }
    return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
  }

  #encode({ topic, value }: Said): number {
    const { orders, driverEvents, driverLocations } = this.#options.dispatch.topics;
    if (topic === "orders") return orders.value.encode(value, this.#bytes, 0);
    if (topic === "driverEvents") return driverEvents.value.encode(value, this.#bytes, 0);
    return driverLocations.value.encode(value, this.#bytes, 0);
  }

  async #connect(): Promise<Producer> {
    const { brokers, seed } = this.#options;
    const kafka = new Kafka({ brokers: [...brokers], clientId: "people", logLevel: logLevel.NOTHING, retry: { retries: 5 } });
    const producer = kafka.producer({ transactionalId: `people-${seed}`, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    return producer;
  }
}

function idOf(driver: number): string {
  return `driver-${driver}`;
}

function driverOf(driverId: string): number {
  return Number(driverId.slice("driver-".length));
}

function location(driverId: string, position: Point, now: number): Said {
  const head = { eventId: `${driverId}/at/${now}`, driverId, recordedAt: now };
  const value: DriverLocation = { type: "DriverLocation", ...head, position, accuracyMetres: 8, speed: 0, heading: 0 };
  return { topic: "driverLocations", key: driverId, value };
}

/** What is aborted must have no effect: it would be seen by its name. */
function withOtherIds(said: Said): Said {
  if (said.topic !== "orders") return said;
  const key = `${ABORTED_PREFIX}${said.key}`;
  return { ...said, key, value: { ...said.value, orderId: key } };
}
