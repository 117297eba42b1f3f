/** Shapes shared by several topics. Times are milliseconds since the epoch, UTC; money is integer minor units. */
import { timeSchema } from "./avro/primitives.ts";

export interface Point {
  /** Degrees, −90 to 90. */
  readonly latitude: number;
  /** Degrees, −180 to 180. */
  readonly longitude: number;
}

export type JobKind = "order" | "ride";
export type Vehicle = "car" | "motorcycle" | "bicycle" | "walking";

/** What a job asks of a driver, all versions of it: goes through every internal record, so no processor looks it up. */
export interface JobContent {
  readonly kind: JobKind;
  readonly pickup: Point;
  readonly dropOff: Point;
  /** Id of the place of pickup (the restaurant), empty for rides: only jobs of one place may share a bundle. */
  readonly placeId: string;
  /** When it can be picked up. */
  readonly readyAt: number;
  /** When the customer asked. */
  readonly placedAt: number;
  /** No proposal before this time. */
  readonly notBefore: number;
  /** Driver tags that must all be there. */
  readonly requirements: readonly string[];
  /** Price of the goods or quoted fare, minor units. */
  readonly priceMinor: number;
  readonly currency: string;
}

/** A job in a driver's plan or in a proposal. */
export interface PlannedJob {
  readonly jobId: string;
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent;
}

export interface PlanStop {
  readonly jobId: string;
  readonly kind: "pickup" | "dropOff";
  readonly point: Point;
}

export interface JobToken {
  readonly jobId: string;
  readonly attempt: number;
}

export const pointSchema = {
  type: "record",
  name: "Point",
  fields: [
    { name: "latitude", type: { type: "double", minimum: -90, maximum: 90 } },
    { name: "longitude", type: { type: "double", minimum: -180, maximum: 180 } },
  ],
} as const;

export const vehicleSchema = { type: "enum", name: "Vehicle", symbols: ["car", "motorcycle", "bicycle", "walking"] } as const;

export const jobContentSchema = {
  type: "record",
  name: "JobContent",
  fields: [
    { name: "kind", type: { type: "enum", name: "JobKind", symbols: ["order", "ride"] } },
    { name: "pickup", type: pointSchema },
    { name: "dropOff", type: pointSchema },
    { name: "placeId", type: "string" },
    { name: "readyAt", type: timeSchema },
    { name: "placedAt", type: timeSchema },
    { name: "notBefore", type: timeSchema },
    { name: "requirements", type: { type: "array", items: "string" } },
    { name: "priceMinor", type: "long" },
    { name: "currency", type: "string" },
  ],
} as const;

export const plannedJobSchema = {
  type: "record",
  name: "PlannedJob",
  fields: [
    { name: "jobId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "orderVersion", type: "int" },
    { name: "content", type: jobContentSchema },
  ],
} as const;

export const planStopSchema = {
  type: "record",
  name: "PlanStop",
  fields: [
    { name: "jobId", type: "string" },
    { name: "kind", type: { type: "enum", name: "StopKind", symbols: ["pickup", "dropOff"] } },
    { name: "point", type: pointSchema },
  ],
} as const;

export const jobTokenSchema = {
  type: "record",
  name: "JobToken",
  fields: [
    { name: "jobId", type: "string" },
    { name: "attempt", type: "int" },
  ],
} as const;
