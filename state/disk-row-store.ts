/** The rows of this process's database, as state sees them. */
import type { Disk } from "#disk";
import type { RowStore } from "./store.ts";

/** The family `rows` of a disk. What is thrown is the disk's. */
export function diskRowStore(disk: Disk): RowStore {
  return {
    get: (key) => disk.get("rows", key),
    getMany: (keys) => disk.getMany("rows", keys),
    entries: (range) => disk.entries("rows", range),
  };
}
