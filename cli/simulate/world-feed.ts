/** Carries events from the world to its topics and decisions back, one step at a time: for hosts that own the clock. */
import { RecordBatchCursor, type Log, type PartitionAssignment, type Producer, type Reader } from "#log";
import { encodeKey, partitionFor, type Topic } from "#streams";
import type { DispatchTopics } from "#topologies";
import type { World, WorldEvent } from "#world";

export interface WorldFeedOptions {
  readonly log: Log;
  readonly topics: DispatchTopics;
  readonly world: World;
  /** Events after it are not produced: the input ends there. Default: none. */
  readonly inputEndsAt?: number;
  /** Hears each decision once, in the order in which it was read. */
  readonly onDecision?: (name: "assignments" | "trips", value: Parameters<World["observe"]>[0], timestamp: number) => void;
}

export class WorldFeed {
  readonly #options: WorldFeedOptions;
  readonly #producer: Producer;
  readonly #reader: Reader;
  readonly #cursor = new RecordBatchCursor();
  #scratch = Buffer.allocUnsafe(4_096);
  #produced = 0;

  constructor(options: WorldFeedOptions) {
    const { log, topics } = options;
    this.#options = options;
    this.#producer = log.producer();
    this.#reader = log.reader();
    this.#reader.assign([...fromStart(topics.assignments), ...fromStart(topics.trips)]);
  }

  get produced(): number {
    return this.#produced;
  }

  nextDueAt(): number {
    return this.#options.world.nextDueAt();
  }

  /** Produces what is due. */
  async run(now: number): Promise<void> {
    const { inputEndsAt = Infinity, world } = this.#options;
    const events = world.run(now);
    for (const event of events) if (event.timestamp <= inputEndsAt) this.#append(event);
    if (this.#producer.bufferedBytes > 0) await this.#producer.flush();
  }

  /** Hands new decisions to the world; false when there were none. */
  observe(): boolean {
    const { world, topics, onDecision } = this.#options;
    const batches = this.#reader.poll();
    const cursor = this.#cursor;
    for (const batch of batches) {
      cursor.reset(batch.bytes, batch.baseOffset);
      const name = batch.topic === topics.trips.name ? "trips" : "assignments";
      while (cursor.next()) {
        if (cursor.offset < batch.fetchOffset || cursor.valueStart < 0) continue;
        const value = topics[name].value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
        world.observe(value);
        onDecision?.(name, value, cursor.timestamp);
      }
    }
    return batches.length > 0;
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#producer.close();
  }

  #append(event: WorldEvent): void {
    const { topics } = this.#options;
    switch (event.topic) {
      case "orders":
        return this.#send(topics.orders, event.key, event.value, event.timestamp);
      case "rides":
        return this.#send(topics.rides, event.key, event.value, event.timestamp);
      case "driverEvents":
        return this.#send(topics.driverEvents, event.key, event.value, event.timestamp);
      case "driverLocations":
        return this.#send(topics.driverLocations, event.key, event.value, event.timestamp);
      default:
        return event satisfies never;
    }
  }

  #send<V>(topic: Topic<string, V>, key: string, value: V, timestamp: number): void {
    const keyBytes = encodeKey(topic.key, key);
    let end = topic.value.encode(value, this.#scratch, 0);
    if (end > this.#scratch.length) {
      this.#scratch = Buffer.allocUnsafe(end * 2);
      end = topic.value.encode(value, this.#scratch, 0);
    }
    this.#producer.append(topic.name, partitionFor(topic, key, keyBytes), timestamp, keyBytes, this.#scratch.subarray(0, end));
    this.#produced++;
  }
}

function fromStart({ name, partitions }: { readonly name: string; readonly partitions: number }): readonly PartitionAssignment[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, offset: 0, outOfRange: "start" as const }));
}
