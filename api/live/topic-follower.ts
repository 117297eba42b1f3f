/** Reads topics as they grow, one reader for all who want to know, and never for longer than a few milliseconds at a time. */
import { RecordBatchCursor, type Log, type Reader, type TopicPartition } from "#log";

export interface FollowerOptions {
  readonly log: Log;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
  /** Where a partition is read from; default: its end. */
  readonly from?: (topic: string, partition: number) => Promise<number>;
  /** The cursor stands at the record; what is thrown ends the follower. */
  readonly each: (topic: string, partition: number, cursor: RecordBatchCursor) => void;
  /** After each round in which something was read. */
  readonly afterRound?: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** A broker's log is looked at so often at least; the embedded one tells when it has changed. */
const IDLE_MS = 50;
/** Work of one turn of the event loop. */
const TURN_MS = 8;
const POLL_BYTES = 128 * 1024;

export class TopicFollower implements AsyncDisposable {
  readonly #options: FollowerOptions;
  readonly #reader: Reader;
  readonly #places: readonly TopicPartition[];
  readonly #cursor = new RecordBatchCursor();
  readonly #ended: Promise<void>;
  #closed = false;
  #behind = true;
  #wake: () => void = () => {};

  private constructor(options: FollowerOptions, reader: Reader, places: readonly TopicPartition[]) {
    this.#options = options;
    this.#places = places;
    this.#reader = reader;
    this.#ended = this.#run().catch((error: unknown) => {
      if (!this.#closed) options.onFailure(error);
    });
  }

  static async start(options: FollowerOptions): Promise<TopicFollower> {
    const { log, topics, from } = options;
    const reader = log.reader({ pollBytesMax: POLL_BYTES });
    const places = topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    );
    const assignments = await Promise.all(
      places.map(async (place) => ({
        ...place,
        offset: await (from?.(place.topic, place.partition) ?? log.offsets.bound(place, "stable")),
        outOfRange: "start" as const,
      })),
    );
    reader.assign(assignments);
    return new TopicFollower(options, reader, places);
  }

  /** False once everything that was there at the start, or since, has been read. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Of the next record of each partition. */
  positions(): readonly (TopicPartition & { readonly offset: number })[] {
    return this.#places.map((place) => ({ ...place, offset: this.#reader.position(place) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#ended;
    await this.#reader.close();
  }

  async #run(): Promise<void> {
    const { log, afterRound } = this.#options;
    while (!this.#closed) {
      const version = log.version();
      const read = this.#turn();
      if (read) afterRound?.();
      this.#behind = read;
      // Read on at once, but let others have their turn; else wait until there is more.
      await (read ? new Promise((resolve) => setImmediate(resolve)) : this.#idle(version));
    }
  }

  /** True when there may be more. */
  #turn(): boolean {
    const until = performance.now() + TURN_MS;
    let any = false;
    while (performance.now() < until) {
      const batches = this.#reader.poll();
      if (batches.length === 0) return any;
      any = true;
      for (const batch of batches) {
        this.#cursor.reset(batch.bytes, batch.baseOffset);
        while (this.#cursor.next())
          if (this.#cursor.offset >= batch.fetchOffset) this.#options.each(batch.topic, batch.partition, this.#cursor);
      }
    }
    return true;
  }

  async #idle(version: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, IDLE_MS);
      this.#wake = resolve;
    });
    await Promise.race([this.#options.log.changed(version), waited]);
    clearTimeout(timer);
  }
}
