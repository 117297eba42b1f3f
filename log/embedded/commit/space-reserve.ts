/** Room on the volume that commits leave alone: they fail before anything is written, and go on by themselves once there is room. */
import { VolumeReserve, type Disk } from "#disk";
import { LogError } from "../../errors.ts";
import { SPACE_LOOK_BYTES } from "../defaults.ts";

export class SpaceReserve {
  readonly #reserve: VolumeReserve;

  /** `reserveBytes` 0: commits go on to the end of the volume. */
  constructor(disk: Disk, reserveBytes: number) {
    this.#reserve = new VolumeReserve({ disk, reserveBytes, lookBytes: SPACE_LOOK_BYTES });
  }

  /** Before so many bytes are written. Throws `LOG_UNAVAILABLE`, caused by `DISK_FULL`, and the next call looks again. */
  check(bytes: number): void {
    const cause = this.#reserve.missing(bytes);
    if (cause !== undefined)
      throw new LogError("LOG_UNAVAILABLE", `Nothing is committed while the disk is full: ${cause.message}`, { cause });
  }
}
