/** Store name → id, given once and kept as a row: what lets a store be found again whatever else the topology became. */
import type { Disk } from "#disk";
import { ENGINE_STORE_ID, prefixEnd, rowPrefix } from "./row-key.ts";

/** Keys of these rows: engine store, partition 0, this text, the name. */
const NAME_PREFIX = Buffer.concat([rowPrefix(ENGINE_STORE_ID, 0), Buffer.from("store-id/")]);

/**
 * The ids of all names, and of every other store that the disk knows. Names without an id get the next ones, in the order
 * given, written with sync. Only one thread of the process may do this at a time.
 */
export function loadStoreIds(disk: Disk, names: readonly string[]): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  let highest = ENGINE_STORE_ID;
  for (const [key, value] of disk.entries("rows", { from: NAME_PREFIX, to: prefixEnd(NAME_PREFIX) })) {
    const id = value.readUInt32BE(0);
    ids.set(key.toString("utf8", NAME_PREFIX.length), id);
    highest = Math.max(highest, id);
  }
  const missing = names.filter((name) => !ids.has(name));
  if (missing.length === 0) return ids;
  const batch = disk.batch();
  for (const name of new Set(missing)) {
    const row = Buffer.allocUnsafe(4);
    row.writeUInt32BE(++highest, 0);
    ids.set(name, highest);
    batch.put("rows", Buffer.concat([NAME_PREFIX, Buffer.from(name)]), row);
  }
  disk.write(batch, { sync: true });
  return ids;
}
