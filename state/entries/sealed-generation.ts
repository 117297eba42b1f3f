/** A sealed generation. The changes are made from the rows when asked for: a log that writes rows itself never asks. */
import { ROW_PREFIX_BYTES, type RowWrite } from "../row-key.ts";
import type { SealedChange, SealedState } from "../store.ts";

/** Rows up to `end` (exclusive), from the end of the span before, belong to `store`. */
export interface SealedSpan {
  readonly store: string;
  readonly localPrefixBytes: number;
  readonly end: number;
}

export interface SealedParts {
  readonly rows: readonly RowWrite[];
  /** One for each row. */
  readonly timestamps: readonly number[];
  readonly spans: readonly SealedSpan[];
  readonly bytes: number;
}

export class SealedGeneration implements SealedState {
  readonly rows: readonly RowWrite[];
  readonly bytes: number;
  readonly #timestamps: readonly number[];
  readonly #spans: readonly SealedSpan[];
  #changes: readonly SealedChange[] | undefined;

  constructor(parts: SealedParts) {
    this.rows = parts.rows;
    this.bytes = parts.bytes;
    this.#timestamps = parts.timestamps;
    this.#spans = parts.spans;
  }

  get changes(): readonly SealedChange[] {
    return (this.#changes ??= this.#collect());
  }

  #collect(): SealedChange[] {
    const changes: SealedChange[] = [];
    for (const { store, localPrefixBytes, end } of this.#spans) {
      for (let at = changes.length; at < end; at++) {
        const row = this.rows[at];
        if (row === undefined) continue;
        changes.push({
          store,
          key: asBuffer(row.key, ROW_PREFIX_BYTES),
          value: row.value === null ? null : asBuffer(row.value, localPrefixBytes),
          timestamp: this.#timestamps[at] ?? 0,
        });
      }
    }
    return changes;
  }
}

/** A view costs as much as the rest of a change. */
function asBuffer(bytes: Uint8Array, from: number): Buffer {
  if (from === 0 && Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.byteLength - from);
}
