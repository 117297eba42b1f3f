/** Row key = store id (u32), partition (u32), key bytes; big-endian, so a store's partition is one range. */

export interface RowWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export const ROW_PREFIX_BYTES = 8;

export function rowPrefix(storeId: number, partition: number): Buffer {
  const prefix = Buffer.allocUnsafe(ROW_PREFIX_BYTES);
  prefix.writeUInt32BE(storeId, 0);
  prefix.writeUInt32BE(partition, 4);
  return prefix;
}
