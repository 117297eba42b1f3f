/** Which jobs have begun and not ended, as the trips tell it. */
import { RecordBatchCursor, type Log, type Reader } from "#log";
import type { DispatchTopics } from "#topologies";

export class OpenJobs implements AsyncDisposable {
  readonly #reader: Reader;
  readonly #topic: DispatchTopics["trips"];
  readonly #cursor = new RecordBatchCursor();
  readonly #open = new Set<string>();

  /** Reads from the log's start. */
  constructor(log: Log, { trips }: DispatchTopics) {
    this.#topic = trips;
    this.#reader = log.reader();
    const partitions = Array.from({ length: trips.partitions }, (_, partition) => ({
      topic: trips.name,
      partition,
      offset: 0,
      outOfRange: "start" as const,
    }));
    this.#reader.assign(partitions);
  }

  get open(): number {
    return this.#open.size;
  }

  /** Takes in everything that is new. */
  read(): void {
    for (let batches = this.#reader.poll(); batches.length > 0; batches = this.#reader.poll()) {
      for (const batch of batches) {
        this.#cursor.reset(batch.bytes, batch.baseOffset);
        while (this.#cursor.next()) if (this.#cursor.offset >= batch.fetchOffset) this.#take();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
  }

  #take(): void {
    const { bytes, valueStart, valueEnd } = this.#cursor;
    const { jobId, state } = this.#topic.value.decode(bytes, valueStart, valueEnd);
    if (state === "completed" || state === "cancelled" || state === "failed") this.#open.delete(jobId);
    else this.#open.add(jobId);
  }
}
