/** Every bound and default of assignment. */
import type { AssignorSettings } from "./group-contract.ts";

export const ASSIGNOR_SETTINGS: AssignorSettings = {
  standbyReplicas: 1,
  acceptableLagRecords: 10_000,
  warmUpsPerMemberMax: 4,
};

/** The log takes at most 64 KiB of a member; the log's own envelope has its part of it. */
export const USER_DATA_BYTES_MAX = 60 * 1024;
/** A generation is one record of the group's coordinator, 1 MiB by default; it holds every member's part. */
export const PART_BYTES_MAX = 256 * 1024;
/** Of an instance id or a host name, as UTF-8. */
export const NAME_BYTES_MAX = 255;
/** Between two looks at whether what is warmed up has caught up; twice as long after each time that it was asked for in vain. */
export const WARM_UP_LOOK_MS = 500;
export const WARM_UP_LOOK_MS_MAX = 60_000;
/** Of the acceptable lag: a member asks only when it is well within what the leader accepts, since the owner goes on meanwhile. */
export const WARM_UP_ASKS_BELOW = 0.5;
/** How long an instance tries to tell the others to stop, and how often it looks whether they have heard. */
export const ANNOUNCEMENT_MS_MAX = 30_000;
export const ANNOUNCEMENT_LOOK_MS = 50;
/** Every member looks at what it was told within this time. */
export const ANNOUNCEMENT_QUIET_MS = 2_000;
