/** From a stranger's JSON to an event of a topic: nothing unknown, nothing missing, everything within its domain. */
import { branchesOf, idSerde, SerdeError, topicSchemas, type AvroRecord, type AvroSchema } from "#schemas";
import { ApiError } from "../errors.ts";
import type { IngestEvent, IngestKind } from "./ingest.ts";

/** Events may be so far ahead of the server's clock: as much as the engine lets pass. */
export const EVENT_LEAD_MS_MAX = 60 * 60 * 1_000;

interface KindRules {
  readonly schema: AvroSchema;
  readonly entity: "drivers" | "jobs";
  readonly idField: string;
}

type Fields = Readonly<Record<string, unknown>>;

export const kindRules: Readonly<Record<IngestKind, KindRules>> = {
  "driver-locations": { schema: topicSchemas.driverLocations.schema, entity: "drivers", idField: "driverId" },
  "driver-events": { schema: topicSchemas.driverEvents.schema, entity: "drivers", idField: "driverId" },
  orders: { schema: topicSchemas.orders.schema, entity: "jobs", idField: "orderId" },
  rides: { schema: topicSchemas.rides.schema, entity: "jobs", idField: "rideId" },
};

/** What stands for a field that the sender leaves out; `at`: the server's clock. Fields that are not here must be given. */
const defaults: Readonly<Record<string, (event: Fields, at: number) => unknown>> = {
  occurredAt: (_, at) => at,
  recordedAt: (_, at) => at,
  readyAt: ({ occurredAt }) => occurredAt,
  notBefore: ({ occurredAt }) => occurredAt,
  version: () => 1,
  requirements: () => [],
  tags: () => [],
  capacity: () => 1,
  endsAt: () => null,
  reason: () => "",
  accuracyMetres: () => 0,
  speed: () => 0,
  heading: () => 0,
};
/** A change or an end of an order names the version that it makes; only a first request has one by itself. */
const firstRequests: ReadonlySet<string> = new Set(["OrderPlaced", "RideRequested"]);

export function defaultOf(type: string, field: string): ((event: Fields, at: number) => unknown) | undefined {
  if (field === "version" && !firstRequests.has(type)) return undefined;
  if (field === "readyAt" && type === "OrderReadyTimeChanged") return undefined;
  return defaults[field];
}

export interface ReadEventOptions {
  readonly kind: IngestKind;
  /** In force if the event has none. */
  readonly eventId: string | undefined;
  readonly at: number;
}

/** The event with its entity's id; values are checked once more when they are encoded. Throws ApiError. */
export function readEvent(value: unknown, { kind, eventId, at }: ReadEventOptions): { readonly id: string; readonly event: IngestEvent } {
  const { schema, idField } = kindRules[kind];
  if (!isFields(value)) throw new ApiError("VALIDATION", "field= reason=an event is an object");
  const record = recordFor(schema, value["type"]);
  const unknown = unknownField(record, value, "");
  if (unknown !== undefined) throw new ApiError("VALIDATION", `field=${unknown} reason=${record.name} has no such field`);
  const event: Record<string, unknown> = { type: record.name };
  for (const { name } of record.fields) {
    const given = value[name] ?? (name === "eventId" ? eventId : undefined);
    // What is left out stays undefined where there is no default: the encoder names it.
    event[name] = given === undefined ? defaultOf(record.name, name)?.(event, at) : given;
  }
  if (eventId !== undefined && event["eventId"] !== eventId)
    throw new ApiError("VALIDATION", "field=eventId reason=differs from the Idempotency-Key");
  const id = idOf(event[idField], idField);
  for (const field of ["occurredAt", "recordedAt"]) checkTime(event[field], field, at);
  // Checked against the schema of its kind when it is encoded, which is before anything is written.
  return { id, event: event as unknown as IngestEvent };
}

/** As an answer of ours. */
export function serdeProblem(error: unknown): unknown {
  if (!(error instanceof SerdeError)) return error;
  const { code, facts } = error;
  if (code === "INVALID_KEY" || code === "LIMIT_EXCEEDED" || code === "FORBIDDEN_KEY")
    return new ApiError(code, facts.reason ?? "a value is larger than its topic takes", { cause: error });
  return new ApiError("VALIDATION", `field=${facts.field ?? ""} reason=${facts.reason ?? "does not fit the schema"}`, { cause: error });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function recordFor(schema: AvroSchema, type: unknown): AvroRecord {
  const records = branchesOf(schema) as readonly AvroRecord[]; // all topics hold records
  const only = records.length === 1 ? records[0] : undefined;
  const found = type === undefined ? only : records.find(({ name }) => name === type);
  if (found === undefined)
    throw new ApiError("VALIDATION", `field=type reason=must be one of ${records.map(({ name }) => name).join(", ")}`);
  return found;
}

/** Path of the first field that no schema knows, in records within records too. */
function unknownField(schema: AvroSchema, value: unknown, path: string): string | undefined {
  if (typeof schema === "string" || !("fields" in schema) || !isFields(value)) return undefined;
  for (const key of Object.keys(value)) {
    const field = schema.fields.find(({ name }) => name === key);
    if (field === undefined) {
      if (key === "type" && schema.tagged === true) continue;
      // What the sender called it may be anything: it is shown only if it is a plain name.
      return `${path}${/^\w{1,64}$/.test(key) ? key : "?"}`;
    }
    const within = unknownField(field.type, value[key], `${path}${key}.`);
    if (within !== undefined) return within;
  }
  return undefined;
}

const keyScratch = Buffer.alloc(512);

function idOf(value: unknown, field: string): string {
  try {
    idSerde.encode(value as string, keyScratch, 0);
  } catch (error) {
    if (error instanceof SerdeError)
      throw new ApiError("INVALID_KEY", `field=${field} reason=${error.facts.reason ?? ""}`, { cause: error });
    throw error;
  }
  return value as string; // the serde takes nothing else
}

function checkTime(value: unknown, field: string, at: number): void {
  if (typeof value !== "number") return;
  if (value < 0 || value > at + EVENT_LEAD_MS_MAX)
    throw new ApiError("TIMESTAMP_OUT_OF_RANGE", `field=${field} reason=before 1970, or more than an hour ahead of the server's clock`);
}
