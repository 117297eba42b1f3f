/** Chooses and opens the database. */
import type { Disk, DiskShare } from "./disk.ts";
import { DiskError } from "./errors.ts";
import { memoryDisk } from "./memory/memory-disk.ts";

export async function openDisk(options: {
  readonly location: string;
  readonly kind?: "auto" | "rocksdb" | "classic-level" | "memory";
}): Promise<Disk> {
  if (options.kind === "memory") return memoryDisk();
  throw new DiskError("DISK_UNAVAILABLE", `${options.kind ?? "auto"} is not there yet`, { location: options.location });
}

export function attachDisk(share: DiskShare): Disk {
  throw new DiskError("DISK_UNAVAILABLE", `a ${share.kind} disk cannot be shared`, { location: share.location });
}
