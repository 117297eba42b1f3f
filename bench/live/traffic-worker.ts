/** Everybody outside: drivers that tell where they are each five seconds, people who order, and a consumer of assignments. */
import { parentPort, workerData } from "node:worker_threads";
import { attachDisk } from "#disk";
import { attachEmbeddedLog, openKafkaLog, RecordBatchCursor, type Log, type Producer, type Reader } from "#log";
import { createSerdes, memoryRegistry, topicSchemas, type OrderPlaced } from "#schemas";
import { murmur2 } from "#streams";
import { DriverTraffic } from "../locations/driver-traffic.ts";
import type { Phase, PhaseReport, TrafficMessage, TrafficOrder } from "./messages.ts";
import { Latencies } from "./percentiles.ts";

/** Between two looks at what is due and what is new. */
const STEP_MS = 5;
const DROP_OFF_DEGREES = 0.03;
const POSITIVE_MASK = 0x7fff_ffff;

class Traffic {
  readonly #order: TrafficOrder;
  readonly #traffic: DriverTraffic;
  readonly #serdes;
  readonly #producer: Producer;
  readonly #reader: Reader;
  readonly #cursor = new RecordBatchCursor();
  readonly #key = Buffer.alloc(256);
  readonly #value = Buffer.alloc(4_096);
  /** Place in the round of all drivers, from the first location on. */
  #turn = 0;
  #orders = 0;
  /** When each order was placed, and the phase that it counts for. */
  readonly #waiting = new Map<string, { readonly at: number; readonly phase: PhaseCount }>();

  constructor(order: TrafficOrder, log: Log) {
    this.#order = order;
    this.#serdes = createSerdes(memoryRegistry({ loaded: order.schemas }));
    this.#traffic = new DriverTraffic(order);
    for (const driver of this.#traffic.turns) this.#traffic.shift(driver);
    this.#producer = log.producer();
    this.#reader = log.reader();
    this.#reader.assign(
      Array.from({ length: order.partitions }, (_, partition) => ({
        topic: topicSchemas.assignments.topic,
        partition,
        offset: 0,
        outOfRange: "start" as const,
      })),
    );
    // What was due while the drivers came on duty is not made up for.
    while (this.#nextAt() < Date.now()) this.#nextLocation();
  }

  /** Its count goes on after it: what was placed in it may be assigned later. */
  async run(phase: Phase): Promise<PhaseCount> {
    const count: PhaseCount = { name: phase.name, placed: 0, locations: 0, latencies: new Latencies() };
    const begun = Date.now();
    const end = begun + phase.seconds * 1_000;
    const over = phase.over === undefined ? undefined : new Int32Array(phase.over);
    for (let now = begun; now < end; now = Date.now()) {
      if (over !== undefined && Atomics.load(over, 0) !== 0) break;
      if (phase.untilAssigned === true && this.#waiting.size === 0) break;
      const placed = this.#placeDue(phase, count, now - begun);
      while (this.#nextAt() <= now) {
        this.#locate(now);
        count.locations++;
      }
      // Whoever places an order waits from then on, also for the log to take it.
      const at = performance.now();
      if (this.#producer.bufferedBytes > 0) await this.#producer.flush();
      for (const orderId of placed) this.#waiting.set(orderId, { at, phase: count });
      this.#consume();
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    return count;
  }

  #placeDue({ ordersPerSecond }: Phase, count: PhaseCount, elapsed: number): readonly string[] {
    const placed: string[] = [];
    for (const due = Math.floor((elapsed * ordersPerSecond) / 1_000); count.placed < due; count.placed++) placed.push(this.#place());
    return placed;
  }

  #place(): string {
    const { drivers, seed } = this.#order;
    const number = this.#orders++;
    const now = Date.now();
    // Somewhere that a driver was: anywhere in the city.
    const pickup = this.#traffic.positionOf((number * 7_919 + seed) % drivers);
    const orderId = `order-${number}`;
    const order: OrderPlaced = {
      type: "OrderPlaced",
      eventId: `placed-${number}`,
      orderId,
      occurredAt: now,
      version: 1,
      restaurantId: `r-${number}`,
      pickup,
      dropOff: { latitude: pickup.latitude + DROP_OFF_DEGREES, longitude: pickup.longitude },
      readyAt: now,
      notBefore: now,
      requirements: [],
      priceMinor: 2_000,
      currency: "EUR",
    };
    this.#append(topicSchemas.orders.topic, orderId, now, this.#serdes.orders.encode(order, this.#value, 0));
    return orderId;
  }

  #nextAt(): number {
    const { turns, drivers } = this.#traffic;
    return this.#traffic.timeOf(turns[this.#turn % drivers] ?? 0, 1 + Math.floor(this.#turn / drivers));
  }

  #nextLocation() {
    const { turns, drivers } = this.#traffic;
    const location = this.#traffic.location(turns[this.#turn % drivers] ?? 0, 1 + Math.floor(this.#turn / drivers));
    this.#turn++;
    return location;
  }

  #locate(now: number): void {
    const location = this.#nextLocation();
    this.#append(topicSchemas.driverLocations.topic, location.driverId, now, this.#serdes.driverLocations.encode(location, this.#value, 0));
  }

  #append(topic: string, id: string, timestamp: number, end: number): void {
    const key = this.#key.subarray(0, this.#serdes.key.encode(id, this.#key, 0));
    this.#producer.append(topic, (murmur2(key) & POSITIVE_MASK) % this.#order.partitions, timestamp, key, this.#value.subarray(0, end));
  }

  #consume(): void {
    for (const batch of this.#reader.poll()) {
      this.#cursor.reset(batch.bytes, batch.baseOffset);
      while (this.#cursor.next()) {
        const { bytes, valueStart, valueEnd } = this.#cursor;
        const event = this.#serdes.assignments.decode(bytes, valueStart, valueEnd);
        const waiting = this.#waiting.get(event.jobId);
        if (event.type !== "DriverAssigned" || waiting === undefined) continue;
        this.#waiting.delete(event.jobId);
        waiting.phase.latencies.add(performance.now() - waiting.at);
      }
    }
  }
}

interface PhaseCount {
  readonly name: string;
  placed: number;
  locations: number;
  readonly latencies: Latencies;
}

const order = workerData as TrafficOrder; // the benches start this program
const disk = attachDisk(order.disk);
const log = order.log.kind === "shared" ? attachEmbeddedLog(order.log.share, disk) : await openKafkaLog(order.log.options);
const say = (message: TrafficMessage): void => parentPort?.postMessage(message);
try {
  const traffic = new Traffic(order, log);
  const counts: PhaseCount[] = [];
  for (const phase of order.phases) {
    say({ kind: "phase", name: phase.name });
    counts.push(await traffic.run(phase));
  }
  const phases = counts.map(({ name, placed, locations, latencies }): PhaseReport => ({
    name,
    placed,
    locations,
    assigned: latencies.summary(),
  }));
  say({ kind: "done", phases });
} finally {
  await log.close();
  await disk.close();
}
