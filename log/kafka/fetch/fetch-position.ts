/** One assigned partition of a reader: where it is read, where it is fetched, and what waits between the two. */
import type { LogError } from "../../errors.ts";
import type { OutOfRange, TopicPartition } from "../../log.ts";

/** A committed batch, or only a step forward: over markers, or to where an offset out of range was moved. */
export interface FetchedChunk {
  readonly bytes: Buffer | undefined;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly recordCount: number;
}

export class FetchPosition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  outOfRange: OutOfRange;
  /** Of the next record that a poll gives. */
  offset: number;
  /** Of the next record that a fetch asks for. */
  fetchOffset: number;
  /** Last stable offset as the last answer said it. */
  stableOffset = 0;
  paused = false;
  /** Of the leader that wrote the last batch that was fetched; −1 before there is one. */
  epoch = -1;
  /** As it was when it was fetched first. */
  topicId: string | undefined;
  /** Since when the cluster does not have the topic, in milliseconds since the epoch. */
  missingSince: number | undefined;
  /** It was fetched once, whatever came of it. */
  asked = false;
  /** A fetch or a move is under way. */
  busy = false;
  /** No longer assigned: whatever comes for it is dropped. */
  dropped = false;
  /** Thrown by the poll that has read all that came before. */
  error: LogError | undefined;
  bufferedBytes = 0;
  readonly #chunks: FetchedChunk[] = [];
  #first = 0;

  constructor(at: TopicPartition, offset: number, outOfRange: OutOfRange) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.offset = offset;
    this.fetchOffset = offset;
    this.outOfRange = outOfRange;
  }

  get empty(): boolean {
    return this.#first === this.#chunks.length;
  }

  push(chunk: FetchedChunk): void {
    this.#chunks.push(chunk);
    this.bufferedBytes += chunk.bytes?.length ?? 0;
    this.fetchOffset = chunk.nextOffset;
  }

  peek(): FetchedChunk | undefined {
    return this.#chunks[this.#first];
  }

  /** The position moves over what is taken. */
  shift(): void {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return;
    this.bufferedBytes -= chunk.bytes?.length ?? 0;
    this.offset = chunk.nextOffset;
    this.#first += 1;
    if (this.#first < this.#chunks.length) return;
    this.#chunks.length = 0;
    this.#first = 0;
  }
}
