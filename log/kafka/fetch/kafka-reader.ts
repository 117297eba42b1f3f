/** The reader of the port: polls synchronously what the fetch loop has brought. */
import assert from "node:assert/strict";
import { LogError } from "../../errors.ts";
import type { FetchedBatch, PartitionAssignment, Reader, ReaderOptions, TopicPartition } from "../../log.ts";
import { POLL_BYTES_MAX } from "../defaults.ts";
import type { TopicCatalog } from "../topic-catalog.ts";
import { FetchLoop } from "./fetch-loop.ts";
import type { FetchLoopDependencies } from "./fetch-loop.ts";
import { FetchPosition } from "./fetch-position.ts";

export interface KafkaReaderDependencies extends FetchLoopDependencies {
  readonly catalog: TopicCatalog;
  /** Called once, at `close`. */
  readonly closed: () => void;
}

interface Poll {
  readonly batches: FetchedBatch[];
  bytes: number;
}

export class KafkaReader implements Reader {
  readonly #deps: KafkaReaderDependencies;
  readonly #pollBytesMax: number;
  readonly #loop: FetchLoop;
  #positions: FetchPosition[] = [];
  #first = 0;
  #closed = false;

  constructor(options: ReaderOptions, deps: KafkaReaderDependencies) {
    this.#pollBytesMax = options.pollBytesMax ?? POLL_BYTES_MAX;
    this.#deps = deps;
    this.#loop = new FetchLoop(deps);
  }

  assign(partitions: readonly PartitionAssignment[]): void {
    for (const wanted of partitions) this.#deps.catalog.require(wanted);
    const before = new Set(this.#positions);
    this.#positions = partitions.map((wanted) => {
      const kept = this.#positions.find(
        (each) => each.topic === wanted.topic && each.partition === wanted.partition && each.offset === wanted.offset,
      );
      if (kept === undefined) return new FetchPosition(wanted, wanted.offset, wanted.outOfRange);
      before.delete(kept);
      kept.outOfRange = wanted.outOfRange;
      return kept;
    });
    for (const position of before) position.dropped = true;
    this.#loop.assign(this.#positions);
  }

  poll(): readonly FetchedBatch[] {
    if (this.#closed) throw new LogError("LOG_UNAVAILABLE", "The reader or its log is closed. Open it again.");
    for (const position of this.#positions) if (position.error !== undefined && position.empty && !position.paused) throw position.error;
    const count = this.#positions.length;
    const poll: Poll = { batches: [], bytes: 0 };
    for (let turn = 0; turn < count; turn++) {
      const position = this.#positions[(this.#first + turn) % count] as FetchPosition; // in bounds
      if (position.paused) continue;
      // Each partition may take an equal part of what is left: those behind get what the ones before did not use.
      const share = poll.bytes + (this.#pollBytesMax - poll.bytes) / (count - turn);
      this.#take(position, share, poll);
    }
    if (count > 0) this.#first = (this.#first + 1) % count;
    this.#loop.pump();
    return poll.batches;
  }

  position(partition: TopicPartition): number {
    return this.#find(partition).offset;
  }

  endOffset(partition: TopicPartition): number {
    return this.#find(partition).stableOffset;
  }

  pause(partition: TopicPartition): void {
    this.#find(partition).paused = true;
  }

  resume(partition: TopicPartition): void {
    this.#find(partition).paused = false;
    this.#loop.pump();
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    for (const position of this.#positions) position.dropped = true;
    this.#positions = [];
    this.#loop.close();
    this.#deps.closed();
    return Promise.resolve();
  }

  #take(position: FetchPosition, share: number, poll: Poll): void {
    for (let chunk = position.peek(); chunk !== undefined; chunk = position.peek()) {
      const { bytes, baseOffset, nextOffset, recordCount } = chunk;
      if (bytes !== undefined) {
        if (poll.batches.length > 0 && poll.bytes + bytes.length > this.#pollBytesMax) return;
        const { topic, partition, offset: fetchOffset } = position;
        poll.batches.push({ topic, partition, bytes, baseOffset, fetchOffset, nextOffset, recordCount });
        poll.bytes += bytes.length;
      }
      position.shift();
      if (poll.bytes >= share) return;
    }
  }

  #find({ topic, partition }: TopicPartition): FetchPosition {
    const found = this.#positions.find((each) => each.partition === partition && each.topic === topic);
    assert(found, `${topic}/${partition} is not assigned to this reader`);
    return found;
  }
}
