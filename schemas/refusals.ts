import { timeSchema } from "./avro/primitives.ts";

export type RefusalReason =
  | "DUPLICATE"
  | "NOT_YOURS"
  | "STALE"
  | "OUT_OF_ORDER"
  | "THROTTLED"
  | "IMPOSSIBLE"
  | "OFF_DUTY"
  | "ALREADY_ON_DUTY"
  | "UNKNOWN_JOB"
  | "ENDED"
  | "PICKED_UP"
  | "PICKUP_DIFFERS"
  | "WRONG_STATE"
  | "VERSION_OLD";
/** dispatch.refusals.v1, key = the entity's id: an accepted input that had no effect. */
export interface InputRefused {
  readonly type: "InputRefused";
  readonly entity: "driver" | "job";
  readonly entityId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: RefusalReason;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly at: number;
  /** The refused event as JSON, at most 4 KiB. */
  readonly event: string;
}

const refusalReason = {
  type: "enum",
  name: "RefusalReason",
  symbols: [
    "DUPLICATE",
    "NOT_YOURS",
    "STALE",
    "OUT_OF_ORDER",
    "THROTTLED",
    "IMPOSSIBLE",
    "OFF_DUTY",
    "ALREADY_ON_DUTY",
    "UNKNOWN_JOB",
    "ENDED",
    "PICKED_UP",
    "PICKUP_DIFFERS",
    "WRONG_STATE",
    "VERSION_OLD",
  ],
} as const;
export const inputRefusedSchema = {
  type: "record",
  name: "InputRefused",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "entity", type: { type: "enum", name: "RefusedEntity", symbols: ["driver", "job"] } },
    { name: "entityId", type: "string" },
    { name: "eventId", type: "string" },
    { name: "eventType", type: "string" },
    { name: "reason", type: refusalReason },
    { name: "topic", type: "string" },
    { name: "partition", type: "int" },
    { name: "offset", type: "long" },
    { name: "at", type: timeSchema },
    { name: "event", type: "string" },
  ],
} as const;
