/** Row key = store id (u32), partition (u32), key bytes; big-endian, so a store's partition is one range. */

export interface RowWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export const ROW_PREFIX_BYTES = 8;

/** Rows of the engine itself: store ids, manifest, positions. Never given to a store. */
export const ENGINE_STORE_ID = 0;

export function rowPrefix(storeId: number, partition: number): Buffer {
  const prefix = Buffer.allocUnsafeSlow(ROW_PREFIX_BYTES);
  prefix.writeUInt32BE(storeId, 0);
  prefix.writeUInt32BE(partition, 4);
  return prefix;
}

/** The first row key behind all keys that begin with `prefix`: the exclusive end of its range. Not all bytes may be 255. */
export function prefixEnd(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    if (end[at] !== 0xff) {
      end[at] = (end[at] ?? 0) + 1;
      return end.subarray(0, at + 1);
    }
  }
  throw new RangeError("a prefix of 255s only has no end");
}
