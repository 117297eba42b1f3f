/** A writer that keeps what it is given in memory until somebody takes it. */
import { RecordRefusedError, type RecordHeader } from "#log";
import type { TaskWriter } from "../task/task-scope.ts";

/** One appended record, in bytes of its own. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

export class RecordingWriter implements TaskWriter {
  readonly #bytesMaxOf: (topic: string) => number;
  #records: RawRecord[] = [];
  #mark = 0;

  constructor(bytesMaxOf: (topic: string) => number) {
    this.#bytesMaxOf = bytesMaxOf;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = [],
  ): void {
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    if (bytes > this.#bytesMaxOf(topic))
      throw new RecordRefusedError("RECORD_TOO_LARGE", `A record of ${bytes} bytes is too large for topic ${topic}.`, { topic, partition });
    if (!Number.isSafeInteger(timestamp) || timestamp < 0)
      throw new RecordRefusedError("TIMESTAMP_INVALID", `${timestamp} is not a timestamp for topic ${topic}.`, { topic, partition });
    const copied = headers.map((header) => ({ key: header.key, value: copy(header.value) }));
    this.#records.push({ topic, partition, timestamp, key: copy(key), value: copy(value), headers: copied });
  }

  /** Of keys and values not taken yet. */
  get bytes(): number {
    return this.#records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
  }

  savepoint(): void {
    this.#mark = this.#records.length;
  }

  rollback(): void {
    this.#records.length = this.#mark;
  }

  /** Everything appended since the last time. */
  take(): readonly RawRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#mark = 0;
    return records;
  }
}

function copy(part: Uint8Array | null): Buffer | null {
  return part === null ? null : Buffer.from(part);
}
