/** Keeps appends back until the fate of their commit is decided, so that they can be written late, or never. */
import { WriterLostError, type CommitRequest, type RecordHeader, type Writer } from "#log";
import { RecordingWriter, type RawRecord } from "./recording-writer.ts";

export interface DelayingWriterOptions {
  readonly inner: Writer;
  /** Asked whether it would take an append; never commits. */
  readonly probe: Writer;
  readonly initializeFails: boolean;
  readonly commit: (records: readonly RawRecord[], request: CommitRequest, write: () => Promise<void>) => Promise<void>;
}

export class DelayingWriter implements Writer {
  readonly #options: DelayingWriterOptions;
  readonly #recording = new RecordingWriter(() => Infinity);
  #dead = false;
  #committing = false;

  constructor(options: DelayingWriterOptions) {
    this.#options = options;
  }

  get bufferedBytes(): number {
    return this.#recording.bytes;
  }

  async initialize(): Promise<void> {
    if (this.#options.initializeFails) throw new WriterLostError("LOG_UNAVAILABLE", "The plan fails this writer.");
    await this.#options.probe.initialize();
    await this.#options.inner.initialize();
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = [],
  ): void {
    if (this.#dead) throw new WriterLostError("LOG_UNAVAILABLE", "This writer is dead.");
    const { probe } = this.#options;
    probe.savepoint();
    probe.append(topic, partition, timestamp, key, value, headers);
    probe.rollback();
    this.#recording.append(topic, partition, timestamp, key, value, headers);
  }

  savepoint(): void {
    this.#recording.savepoint();
  }

  rollback(): void {
    this.#recording.rollback();
  }

  async commit(request: CommitRequest): Promise<void> {
    if (this.#dead || this.#committing) throw new WriterLostError("LOG_UNAVAILABLE", "This writer is dead, or commits already.");
    this.#committing = true;
    const records = this.#recording.take();
    try {
      await this.#options.commit(records, request, () => this.#write(records, request));
      this.#committing = false;
    } catch (error) {
      this.#dead = true;
      throw error;
    }
  }

  /** The one below stays open: what is under way may still arrive. */
  close(): Promise<void> {
    this.#dead = true;
    return Promise.resolve();
  }

  #write(records: readonly RawRecord[], request: CommitRequest): Promise<void> {
    const { inner } = this.#options;
    for (const { topic, partition, timestamp, key, value, headers } of records)
      inner.append(topic, partition, timestamp, key, value, headers);
    return inner.commit(request);
  }
}
