/**
 * Room on the volume that commits leave alone. A database that meets the end of its volume while it tidies up stays read-only until
 * it is opened again; commits that stop before that go on by themselves as soon as there is room.
 */
import { DiskError, type Disk } from "#disk";
import { LogError } from "../../errors.ts";
import { SPACE_LOOK_BYTES } from "../defaults.ts";

const MIB = 1024 * 1024;

export class SpaceReserve {
  readonly #disk: Disk;
  readonly #reserveBytes: number;
  #sinceLook = Infinity;

  /** `reserveBytes` 0: commits go on to the end of the volume. */
  constructor(disk: Disk, reserveBytes: number) {
    this.#disk = disk;
    this.#reserveBytes = reserveBytes;
  }

  /** Before so many bytes are written. Throws `LOG_UNAVAILABLE`, caused by `DISK_FULL`, and the next call looks again. */
  check(bytes: number): void {
    if (this.#reserveBytes === 0) return;
    this.#sinceLook += bytes;
    if (this.#sinceLook < SPACE_LOOK_BYTES) return;
    const free = this.#disk.freeBytes();
    if (free >= this.#reserveBytes) {
      this.#sinceLook = 0;
      return;
    }
    this.#sinceLook = Infinity;
    const { location } = this.#disk;
    const left = `${Math.floor(free / MIB)} MiB are left on the volume of ${location}, ${Math.ceil(this.#reserveBytes / MIB)} MiB are kept free`;
    const cause = new DiskError("DISK_FULL", `${left}.`, { location });
    throw new LogError("LOG_UNAVAILABLE", `Nothing is committed while the disk is full: ${left}. Free space, and work goes on.`, { cause });
  }
}
