/** The hand-written types are those of the schemas: the compiler checks it, so `npm run check` fails on a difference. */
import { expect, test } from "vitest";
import type { AssignmentEvent, assignmentEventSchema } from "./assignments.ts";
import type { AvroValue } from "./avro/schema.ts";
import type { JobBilled, jobBilledSchema } from "./bills.ts";
import type { JobContent, JobToken, PlanStop, PlannedJob, Point, Vehicle } from "./common.ts";
import type { jobContentSchema, jobTokenSchema, planStopSchema, plannedJobSchema, pointSchema, vehicleSchema } from "./common.ts";
import type { DriverCommand, DriverRepositioned, driverCommandSchema, driverRepositionedSchema } from "./driver-commands.ts";
import type { DriverEvent, driverEventSchema } from "./driver-events.ts";
import type { DriverLocation, driverLocationSchema } from "./driver-locations.ts";
import type { JobUpdate, jobUpdateSchema } from "./job-updates.ts";
import type { MatchingInput, matchingInputSchema } from "./matching-input.ts";
import type { OrderEvent, orderEventSchema } from "./orders.ts";
import type { ZonePolicy, zonePolicySchema } from "./policies.ts";
import type { InputRefused, inputRefusedSchema } from "./refusals.ts";
import type { RideEvent, rideEventSchema } from "./rides.ts";
import { subjects } from "./subjects.ts";
import type { JobTracked, jobTrackedSchema } from "./tracking.ts";
import type { TripChanged, tripChangedSchema } from "./trips.ts";

/** True only if the two are the same in every property, its `readonly` and `?` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Both<A, B> = Same<A, B> extends true ? (A extends B ? (B extends A ? true : false) : false) : false;
type Of<S> = AvroValue<S>;

const proofs: readonly [
  Both<Of<typeof driverLocationSchema>, DriverLocation>,
  Both<Of<typeof driverEventSchema>, DriverEvent>,
  Both<Of<typeof orderEventSchema>, OrderEvent>,
  Both<Of<typeof rideEventSchema>, RideEvent>,
  Both<Of<typeof assignmentEventSchema>, AssignmentEvent>,
  Both<Of<typeof tripChangedSchema>, TripChanged>,
  Both<Of<typeof jobBilledSchema>, JobBilled>,
  Both<Of<typeof jobTrackedSchema>, JobTracked>,
  Both<Of<typeof inputRefusedSchema>, InputRefused>,
  Both<Of<typeof zonePolicySchema>, ZonePolicy>,
  Both<Of<typeof driverCommandSchema>, DriverCommand>,
  Both<Of<typeof jobUpdateSchema>, JobUpdate>,
  Both<Of<typeof matchingInputSchema>, MatchingInput>,
  Both<Of<typeof driverRepositionedSchema>, DriverRepositioned>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true];

const parts: readonly [
  Both<Of<typeof pointSchema>, Point>,
  Both<Of<typeof vehicleSchema>, Vehicle>,
  Both<Of<typeof jobContentSchema>, JobContent>,
  Both<Of<typeof plannedJobSchema>, PlannedJob>,
  Both<Of<typeof planStopSchema>, PlanStop>,
  Both<Of<typeof jobTokenSchema>, JobToken>,
] = [true, true, true, true, true, true];

const differences: readonly [
  Both<{ readonly a: string }, { a: string }>,
  Both<{ readonly a: string }, { readonly a: string | null }>,
  Both<{ readonly a: string }, { readonly a: string; readonly b?: number }>,
  Both<Of<typeof driverEventSchema>, Exclude<DriverEvent, { readonly type: "PickedUp" }>>,
] = [false, false, false, false];

test("every topic's type is the type of its schema, and the comparison sees a difference when there is one", () => {
  expect(proofs.every(Boolean) && parts.every(Boolean)).toBe(true);
  expect(differences.some(Boolean)).toBe(false);
  expect(proofs).toHaveLength(subjects.length);
});
