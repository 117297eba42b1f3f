/**
 * Room on the volume that ordinary writes leave alone. A database that meets the end of its volume while it tidies up stays read-only
 * until it is opened again; writers that stop before that go on by themselves as soon as there is room.
 */
import type { Disk } from "./disk.ts";
import { DiskError } from "./errors.ts";

const MIB = 1024 * 1024;

export interface VolumeReserveOptions {
  readonly disk: Pick<Disk, "freeBytes" | "location">;
  /** 0: writes go on to the end of the volume. */
  readonly reserveBytes: number;
  /** Written between two looks at the volume; default 0: each time. */
  readonly lookBytes?: number;
}

export class VolumeReserve {
  readonly #options: VolumeReserveOptions;
  #sinceLook = Infinity;

  constructor(options: VolumeReserveOptions) {
    this.#options = options;
  }

  /** Before so many bytes are written: undefined, or a `DISK_FULL` for the caller to throw; the next call looks again then. */
  missing(bytes: number): DiskError | undefined {
    const { disk, reserveBytes, lookBytes = 0 } = this.#options;
    if (reserveBytes === 0) return undefined;
    this.#sinceLook += bytes;
    if (this.#sinceLook < lookBytes) return undefined;
    const free = disk.freeBytes();
    if (free >= reserveBytes) {
      this.#sinceLook = 0;
      return undefined;
    }
    this.#sinceLook = Infinity;
    const left = `${Math.floor(free / MIB)} MiB are left on the volume of ${disk.location}, ${Math.ceil(reserveBytes / MIB)} MiB are kept free`;
    return new DiskError("DISK_FULL", `${left}. Free space, and work goes on.`, { location: disk.location });
  }
}
