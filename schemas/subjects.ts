/** All topics of the application as their readers and writers must agree on them. The order is fixed: schema ids follow it. */
import { assignmentEventSchema } from "./assignments.ts";
import type { AvroSchema } from "./avro/schema.ts";
import { jobBilledSchema } from "./bills.ts";
import { driverCommandSchema, driverRepositionedSchema } from "./driver-commands.ts";
import { driverEventSchema } from "./driver-events.ts";
import { driverLocationSchema } from "./driver-locations.ts";
import { jobUpdateSchema } from "./job-updates.ts";
import { matchingInputSchema } from "./matching-input.ts";
import { orderEventSchema } from "./orders.ts";
import { zonePolicySchema } from "./policies.ts";
import { inputRefusedSchema } from "./refusals.ts";
import type { CompatibilityLevel } from "./registry/compatibility.ts";
import { rideEventSchema } from "./rides.ts";
import { jobTrackedSchema } from "./tracking.ts";
import { tripChangedSchema } from "./trips.ts";

export interface Subject {
  readonly topic: string;
  /** What the key names, as UTF-8. */
  readonly key: string;
  /** Name under which the registry knows the value's schema. */
  readonly subject: string;
  readonly schema: AvroSchema;
  readonly compatibility: CompatibilityLevel;
}

// Topics with several kinds are BACKWARD, since FULL would forbid a new kind. Replays and older readers of the others need FULL.
export const topicSchemas = {
  driverLocations: value("driver-locations", "driverId", driverLocationSchema, "FULL"),
  driverEvents: value("driver-events", "driverId", driverEventSchema, "BACKWARD"),
  orders: value("orders", "orderId", orderEventSchema, "BACKWARD"),
  rides: value("rides", "rideId", rideEventSchema, "BACKWARD"),
  assignments: value("assignments", "jobId", assignmentEventSchema, "BACKWARD"),
  trips: value("trips", "jobId", tripChangedSchema, "BACKWARD"),
  bills: value("bills", "jobId", jobBilledSchema, "BACKWARD"),
  tracking: value("tracking", "jobId", jobTrackedSchema, "BACKWARD"),
  refusals: value("refusals", "entity id", inputRefusedSchema, "BACKWARD"),
  policies: value("policies", "dispatch cell or default", zonePolicySchema, "FULL"),
  driverCommands: value("driver-commands", "driverId", driverCommandSchema, "BACKWARD"),
  jobUpdates: value("job-updates", "jobId", jobUpdateSchema, "BACKWARD"),
  matchingInput: value("matching-input", "dispatch cell", matchingInputSchema, "BACKWARD"),
  driverMoves: value("driver-moves", "driverId", driverRepositionedSchema, "BACKWARD"),
} as const;

/** The same as a list. */
export const subjects: readonly Subject[] = Object.values(topicSchemas);

function value<const S extends AvroSchema>(entity: string, key: string, schema: S, compatibility: CompatibilityLevel) {
  const topic = `dispatch.${entity}.v1`;
  return { topic, key, subject: `${topic}-value`, schema, compatibility } as const;
}
