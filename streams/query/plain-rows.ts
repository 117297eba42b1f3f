/**
 * Rows of key-value stores, read without opening a state over them: a query of many keys or short ranges would otherwise pay for
 * an overlay, a cache and a buffer each time. Whatever it cannot answer is left to a state, whose errors say more.
 */
import type { Disk } from "#disk";
import {
  prefixEnd,
  rowPrefix,
  ROW_PREFIX_BYTES,
  type KeyValueDescriptor,
  type RangeOptions,
  type StoreDescriptor,
  type StoreKey,
} from "#state";

export type PlainDescriptor = KeyValueDescriptor<StoreKey, unknown>;

export interface PlainPlace {
  readonly storeId: number;
  readonly partition: number;
}

const KEY_BYTES = 256;

/** Only these have nothing but the value in a row. */
export function isPlain(descriptor: StoreDescriptor): descriptor is PlainDescriptor {
  return descriptor.kind === "key-value";
}

/** Values in the order of the keys; undefined where there is no row. Throws what the serdes throw. */
export function plainRows(
  disk: Disk,
  descriptor: PlainDescriptor,
  keys: readonly (PlainPlace & { readonly key: StoreKey })[],
): readonly unknown[] {
  const rows = disk.getMany(
    "rows",
    keys.map(({ storeId, partition, key }) => rowKey(descriptor, rowPrefix(storeId, partition), key)),
  );
  return rows.map((row) => (row === undefined ? undefined : descriptor.value.decode(row, 0, row.length)));
}

/** At most `limit`, in the order of the keys' bytes. Throws what the serdes throw. */
export function plainRange(
  disk: Disk,
  descriptor: PlainDescriptor,
  { storeId, partition }: PlainPlace,
  { from, to, limit }: RangeOptions<StoreKey> & { readonly limit: number },
): readonly (readonly [StoreKey, unknown])[] {
  const found: (readonly [StoreKey, unknown])[] = [];
  if (limit <= 0) return found;
  const prefix = rowPrefix(storeId, partition);
  const range = {
    from: from === undefined ? prefix : rowKey(descriptor, prefix, from),
    to: to === undefined ? prefixEnd(prefix) : rowKey(descriptor, prefix, to),
    limit,
  };
  for (const [key, value] of disk.entries("rows", range))
    found.push([descriptor.key.decode(key, ROW_PREFIX_BYTES, key.length), descriptor.value.decode(value, 0, value.length)]);
  return found;
}

function rowKey({ key: serde }: PlainDescriptor, prefix: Buffer, key: StoreKey): Buffer {
  let target = Buffer.allocUnsafe(KEY_BYTES);
  let end = serde.encode(key, target, ROW_PREFIX_BYTES);
  if (end > target.length) {
    target = Buffer.allocUnsafe(end);
    end = serde.encode(key, target, ROW_PREFIX_BYTES);
  }
  prefix.copy(target);
  return target.subarray(0, end);
}
