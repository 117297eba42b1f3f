/** Plain appends for the edge of the system. */
import type { AppendedRange, Producer, RecordHeader } from "../log.ts";
import { LogError } from "../errors.ts";
import type { Committer } from "./commit/committer.ts";
import { OutputBuffer } from "../record-batch/output-buffer.ts";
import type { PartitionSlot, TopicCatalog } from "./topic-catalog.ts";

/** A flush that rejects has dropped what it carried, and cannot say whether it was written: append it again if doubles do no harm. */
export class EmbeddedProducer implements Producer {
  readonly #committer: Committer;
  readonly #outputs: OutputBuffer<PartitionSlot>;
  #inFlight: Promise<unknown> | undefined;
  #closed = false;

  constructor(committer: Committer, catalog: TopicCatalog) {
    this.#committer = committer;
    this.#outputs = new OutputBuffer((topic, partition) => catalog.output(topic, partition));
  }

  get bufferedBytes(): number {
    return this.#outputs.bytes;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeader[],
  ): void {
    if (this.#closed) throw new LogError("LOG_UNAVAILABLE", "The producer is closed. Make a new one.");
    this.#outputs.append(topic, partition, timestamp, key, value, headers);
  }

  /** Synchronous inside like a commit; flushes follow one another in order. */
  flush(): Promise<readonly AppendedRange[]> {
    const before = this.#inFlight;
    if (before !== undefined) return before.then(ignore, ignore).then(() => this.flush());
    try {
      const outputs = this.#outputs.take();
      const ranges = this.#committer.commit({ outputs });
      if (!(ranges instanceof Promise)) {
        this.#outputs.recycle(outputs);
        return Promise.resolve(ranges);
      }
      const settled = ranges.then((done) => {
        this.#outputs.recycle(outputs);
        return done;
      });
      const finished = settled.finally(() => {
        this.#inFlight = undefined;
      });
      this.#inFlight = finished;
      return finished;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

function ignore(): void {}
