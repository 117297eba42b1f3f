export type * from "./disk.ts";
export { holdsDatabase } from "./disk-directory.ts";
export { DiskError, type DiskErrorCode } from "./errors.ts";
export { crc32c } from "./inspection/crc32c.ts";
export { memoryDisk } from "./memory/memory-disk.ts";
export { attachDisk, openDisk, type OpenDiskOptions, type OwnedDisk } from "./open-disk.ts";
export { markDamaged, type DiskDamage } from "./set-aside.ts";
export { VolumeReserve } from "./volume-reserve.ts";
