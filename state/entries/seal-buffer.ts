/** Where a generation is encoded: one growing buffer of which every row is a slice. Used again once nobody holds the slices. */
import assert from "node:assert/strict";
import type { EntryCodec } from "./entry-codec.ts";
import { ROW_PREFIX_BYTES, type RowWrite } from "../row-key.ts";
import type { KeySerde } from "../serde.ts";
import type { StoreKey } from "../store.ts";

const FIRST_CHUNK_BYTES = 64 * 1024;
/** A chunk larger than this is not kept for the next generation. */
const KEPT_CHUNK_BYTES_MAX = 32 * 1024 * 1024;
/** What a serde may ask for at most; more is a mistake in the serde, not a large value. */
const ROW_BYTES_MAX = 512 * 1024 * 1024;

/** What a row is made of; `value` undefined deletes. */
export interface RowParts<K extends StoreKey, V> {
  readonly prefix: Buffer;
  readonly keySerde: KeySerde<K>;
  readonly codec: EntryCodec<V>;
}

export class SealBuffer {
  #chunk = Buffer.allocUnsafeSlow(FIRST_CHUNK_BYTES);
  #at = 0;
  /** Bytes of this generation in chunks before the present one. */
  #earlierBytes = 0;

  get bytes(): number {
    return this.#earlierBytes + this.#at;
  }

  /** A new generation; the slices of the one before are no longer read by anybody. */
  restart(): void {
    const bytes = this.bytes;
    if (this.#earlierBytes > 0 && bytes <= KEPT_CHUNK_BYTES_MAX) this.#chunk = Buffer.allocUnsafeSlow(bytes);
    else if (this.#chunk.length > KEPT_CHUNK_BYTES_MAX) this.#chunk = Buffer.allocUnsafeSlow(FIRST_CHUNK_BYTES);
    this.#earlierBytes = 0;
    this.#at = 0;
  }

  /** The slices may still be held: later rows go to fresh memory. */
  abandon(): void {
    this.#chunk = Buffer.allocUnsafeSlow(FIRST_CHUNK_BYTES);
    this.#earlierBytes = 0;
    this.#at = 0;
  }

  put<K extends StoreKey, V>(parts: RowParts<K, V>, key: K, value: V): RowWrite {
    for (;;) {
      const chunk = this.#chunk;
      const start = this.#at;
      const keyEnd = this.#writeKey(parts, key);
      const end = keyEnd > chunk.length ? keyEnd : parts.codec.encode(value, chunk, keyEnd);
      if (end <= chunk.length) {
        this.#at = end;
        return { key: chunk.subarray(start, keyEnd), value: chunk.subarray(keyEnd, end) };
      }
      this.#grow(end - start);
    }
  }

  delete<K extends StoreKey, V>(parts: RowParts<K, V>, key: K): RowWrite {
    for (;;) {
      const chunk = this.#chunk;
      const start = this.#at;
      const keyEnd = this.#writeKey(parts, key);
      if (keyEnd <= chunk.length) {
        this.#at = keyEnd;
        return { key: chunk.subarray(start, keyEnd), value: null };
      }
      this.#grow(keyEnd - start);
    }
  }

  #writeKey<K extends StoreKey, V>(parts: RowParts<K, V>, key: K): number {
    const chunk = this.#chunk;
    const start = this.#at + ROW_PREFIX_BYTES;
    if (start > chunk.length) return start;
    const prefix = parts.prefix;
    for (let index = 0; index < ROW_PREFIX_BYTES; index++) chunk[this.#at + index] = prefix[index] ?? 0;
    return parts.keySerde.encode(key, chunk, start);
  }

  #grow(rowBytes: number): void {
    assert(rowBytes > 0 && rowBytes <= ROW_BYTES_MAX, `a serde asked for ${rowBytes} bytes for one row`);
    this.#earlierBytes += this.#at;
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(this.#chunk.length * 2, rowBytes * 2));
    this.#at = 0;
  }
}
