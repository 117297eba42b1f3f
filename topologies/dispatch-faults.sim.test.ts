/**
 * The whole application in virtual time over the embedded log: real threads, tasks and commits, while commits are delayed,
 * fail, stay unknown, and the process dies. What comes out must keep D1 to D5 as if nothing had happened.
 */
import { expect, test } from "vitest";
import { checkInvariants } from "#proof";
import type { History, ProofRecord } from "#proof";
import { createSerdes, memoryRegistry } from "#schemas";
import type { AssignmentEvent } from "#schemas";
import { RecordBatchCursor } from "#log";
import type { Log } from "#log";
import { encodeKey, partitionFor } from "#streams";
import type { Topic, VirtualActor } from "#streams";
import { DelayingLog, openApplication, seededPlan } from "#streams/testing";
import { buildDispatch } from "./build-dispatch.ts";
import { defaultPolicy } from "./default-policy.ts";
import { home, kitchen, START } from "./testing/dispatch-scene.ts";
import { dispatchTopics } from "./topics.ts";
import type { DispatchTopics } from "./topics.ts";

const PARTITIONS = 2;
const ORDERS = 24;
const MINUTE = 60_000;

/** Everything new in a topic since the last time. */
class Tail<V> {
  readonly #topic: Topic<string, V>;
  readonly #reader;
  readonly #cursor = new RecordBatchCursor();

  constructor(log: Log, topic: Topic<string, V>) {
    this.#topic = topic;
    this.#reader = log.reader();
    const partitions = Array.from({ length: topic.partitions }, (_, partition) => ({ topic: topic.name, partition }));
    this.#reader.assign(partitions.map((partition) => ({ ...partition, offset: 0, outOfRange: "start" })));
  }

  take(): ProofRecord<V>[] {
    const records: ProofRecord<V>[] = [];
    for (let batches = this.#reader.poll(); batches.length > 0; batches = this.#reader.poll()) {
      for (const { bytes, baseOffset, partition } of batches) {
        this.#cursor.reset(bytes, baseOffset);
        while (this.#cursor.next()) {
          const { offset, timestamp, valueStart, valueEnd } = this.#cursor;
          records.push({ partition, offset, timestamp, value: this.#topic.value.decode(bytes, valueStart, valueEnd) });
        }
      }
    }
    return records;
  }
}

/** Places orders, drives, answers: from the published assignments alone, like a foreign client. */
class City implements VirtualActor {
  readonly #topics: DispatchTopics;
  readonly #tail: Tail<AssignmentEvent>;
  readonly #todo: { readonly at: number; readonly act: () => void }[] = [];
  readonly #producer;
  #polledAt = START;
  #ids = 0;

  constructor(log: Log, topics: DispatchTopics) {
    this.#topics = topics;
    this.#tail = new Tail(log, topics.assignments);
    this.#producer = log.producer();
    for (let d = 0; d < 6; d++) this.#at(START + d, () => this.#startShift(`d${d}`));
    for (let o = 0; o < ORDERS; o++) this.#at(START + 2_000 + o * 4_000, () => this.#place(`o${o}`, o));
    for (let o = 3; o < ORDERS; o += 5) this.#at(START + 4_500 + o * 4_000, () => this.#cancel(`o${o}`));
    this.#at(START + 50_000, () => this.#endShift("d1"));
  }

  nextDueAt(): number {
    const due = Math.min(Infinity, ...this.#todo.map(({ at }) => at));
    return this.#polledAt < START + 10 * MINUTE ? Math.min(due, this.#polledAt + 250) : due;
  }

  async run(now: number): Promise<void> {
    this.#polledAt = now;
    for (const { value } of this.#tail.take()) this.#hear(value, now);
    const due = this.#todo.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const item of due) {
      this.#todo.splice(this.#todo.indexOf(item), 1);
      item.act();
    }
    await this.#producer.flush();
  }

  #hear(event: AssignmentEvent, now: number): void {
    if (event.type !== "DriverOffered" && event.type !== "DriverAssigned") return;
    const { jobId, driverId, attempt } = event;
    const act = (type: "JobAccepted" | "JobDeclined" | "PickedUp" | "DroppedOff", after: number): void =>
      this.#at(now + after, () => this.#event({ type, jobId, attempt, ...this.#base(driverId) }));
    if (event.type === "DriverOffered") return act(jobId.endsWith("7") ? "JobDeclined" : "JobAccepted", 1_500);
    act("PickedUp", 6_000);
    act("DroppedOff", 15_000);
  }

  #startShift(driverId: string): void {
    const shift = { position: kitchen, vehicle: "car", tags: [], capacity: 2, endsAt: null } as const;
    this.#event({ type: "ShiftStarted", ...this.#base(driverId), ...shift });
  }

  #endShift(driverId: string): void {
    this.#event({ type: "ShiftEnded", ...this.#base(driverId) });
  }

  #place(orderId: string, o: number): void {
    const times = { occurredAt: this.#polledAt, readyAt: this.#polledAt, notBefore: this.#polledAt };
    const place = { restaurantId: `r${o % 3}`, pickup: kitchen, dropOff: home, requirements: [], priceMinor: 100 * o, currency: "EUR" };
    this.#send(this.#topics.orders, orderId, { type: "OrderPlaced", eventId: this.#id(), orderId, version: 1, ...times, ...place });
  }

  #cancel(orderId: string): void {
    const event = { type: "OrderCancelled", eventId: this.#id(), orderId, occurredAt: this.#polledAt, version: 2, reason: "" } as const;
    this.#send(this.#topics.orders, orderId, event);
  }

  #base(driverId: string) {
    return { eventId: this.#id(), driverId, occurredAt: this.#polledAt };
  }

  #event(event: Parameters<DispatchTopics["driverEvents"]["value"]["encode"]>[0]): void {
    this.#send(this.#topics.driverEvents, event.driverId, event);
  }

  #send<V>(topic: Topic<string, V>, key: string, value: V): void {
    const keyBytes = encodeKey(topic.key, key);
    const partition = partitionFor(topic, key, keyBytes, topic.partitions);
    this.#producer.append(topic.name, partition, this.#polledAt, keyBytes, encodeKey(topic.value, value));
  }

  #at(at: number, act: () => void): void {
    this.#todo.push({ at, act });
  }

  #id(): string {
    return `e${++this.#ids}`;
  }
}

async function live(seed: number, trouble: number): Promise<{ readonly history: History; readonly completed: number }> {
  const registry = memoryRegistry();
  const topics = dispatchTopics(createSerdes(registry), { partitions: PARTITIONS });
  const policy = {
    ...defaultPolicy,
    policy: "batch-matching",
    offerSeconds: 10,
    locationTtlMs: 0,
    deadlineMs: 5 * MINUTE,
    backoffBaseMs: 100,
  };
  const topology = buildDispatch({ registry, partitions: PARTITIONS, defaultPolicy: policy });
  const plan = seededPlan(seed, { trouble, delayMsMax: 400 });
  const wrapLog = (log: Log, clock: { now(): number }) => new DelayingLog(log, { plan, now: () => clock.now() });
  const application = await openApplication({ topology, threads: 2, startAt: START, wrapLog });
  const city = new City(application.log, topics);
  for (let crash = 1; crash <= 4; crash++) {
    await application.run(START + crash * 23_456, [city]);
    if (trouble > 0) application.crash();
  }
  await application.run(START + 12 * MINUTE, [city]);
  await application.stop();
  const read = <V>(topic: Topic<string, V>): ProofRecord<V>[] => new Tail(application.log, topic).take();
  const { orders, driverEvents, refusals, jobUpdates, assignments, trips, bills, matchingInput } = topics;
  const history = {
    orders: read(orders),
    driverEvents: read(driverEvents),
    refusals: read(refusals),
    jobUpdates: read(jobUpdates),
    assignments: read(assignments),
    trips: read(trips),
    bills: read(bills),
    matchingInput: read(matchingInput),
  };
  return { history, completed: history.bills.length };
}

test.for([
  { seed: 1, trouble: 0 },
  { seed: 2, trouble: 0.2 },
  { seed: 3, trouble: 0.4 },
])("D1 to D5 hold whatever becomes of the commits: $trouble of them in trouble, seed $seed", async ({ seed, trouble }) => {
  const { history, completed } = await live(seed, trouble);
  const verdicts = await checkInvariants(history);
  expect(verdicts.flatMap((verdict) => verdict.violations)).toEqual([]);
  expect(completed).toBeGreaterThan(ORDERS / 2);
});
