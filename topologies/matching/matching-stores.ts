/** The stores of the `matching` subtopology. Their schemas may only grow compatibly: old rows are read for ever. */
import { defineSchema, jobContentSchema, matchingInputSchema, storeSerde, vehicleSchema } from "#schemas";
import type { SchemaRegistry } from "#schemas";
import { keyValueStore, priorityQueueStore, stringKey } from "#state";
import { zoneEntrySchema } from "../zone-entry-schema.ts";
import type { MatchingStores } from "./matching-processor.ts";
import { PRESENCE_STORE } from "./presence-index.ts";

const namespace = "dispatch.state.v1";

const cellJobSchema = defineSchema({
  type: "record",
  name: "CellJob",
  namespace,
  fields: [
    { name: "cell", type: "string" },
    { name: "jobId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "orderVersion", type: "int" },
    { name: "content", type: jobContentSchema },
    { name: "notBefore", type: "long" },
    { name: "excludedDrivers", type: { type: "array", items: "string" } },
    { name: "status", type: { type: "enum", name: "CellJobStatus", symbols: ["queued", "proposed"] } },
    { name: "askedDriver", type: ["null", "string"] },
    {
      name: "skips",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Refusal",
          fields: [
            { name: "driverId", type: "string" },
            { name: "driverVersion", type: "int" },
            { name: "bundled", type: "boolean" },
          ],
        },
      },
    },
  ],
});

const clockSchema = defineSchema({
  type: "record",
  name: "MatchingClock",
  namespace,
  fields: [
    { name: "sequence", type: "long" },
    { name: "tickOutstanding", type: "boolean" },
    { name: "lastTickAt", type: "long" },
  ],
});

const cellMemorySchema = defineSchema({
  type: "record",
  name: "CellMemory",
  namespace,
  fields: [
    { name: "policy", type: "string" },
    { name: "text", type: "string" },
  ],
});

const presenceSchema = defineSchema({
  type: "record",
  name: "Presence",
  namespace,
  fields: [
    { name: "driverId", type: "string" },
    { name: "driverVersion", type: "int" },
    { name: "latitude", type: "double" },
    { name: "longitude", type: "double" },
    { name: "at", type: "long" },
    { name: "vehicle", type: vehicleSchema },
    { name: "capacity", type: "int" },
    { name: "jobs", type: "int" },
  ],
});

const cellSurgeSchema = defineSchema({
  type: "record",
  name: "CellSurge",
  namespace,
  fields: [
    { name: "minute", type: "long" },
    { name: "demand", type: { type: "array", items: "int" } },
    { name: "supply", type: { type: "array", items: "int" } },
    { name: "sampledMinute", type: "long" },
    { name: "requirements", type: { type: "array", items: "string" } },
    { name: "surgeMilli", type: "int" },
    { name: "until", type: "long" },
  ],
});

/** The record as matching heard it. */
const driverPresentSchema = matchingInputSchema[2];
const jobNearbySchema = matchingInputSchema[6];

export function matchingStores(registry: SchemaRegistry): MatchingStores {
  return {
    drivers: keyValueStore({
      name: "matching-drivers",
      key: stringKey,
      value: storeSerde({ name: "matching-drivers", schema: driverPresentSchema, registry }),
    }),
    presence: keyValueStore({
      name: PRESENCE_STORE,
      key: stringKey,
      value: storeSerde({ name: PRESENCE_STORE, schema: presenceSchema, registry }),
    }),
    queue: priorityQueueStore({ name: "matching-queue", value: storeSerde({ name: "matching-queue", schema: cellJobSchema, registry }) }),
    nearby: keyValueStore({
      name: "matching-nearby",
      key: stringKey,
      value: storeSerde({ name: "matching-nearby", schema: jobNearbySchema, registry }),
    }),
    clock: keyValueStore({
      name: "matching-clock",
      key: stringKey,
      value: storeSerde({ name: "matching-clock", schema: clockSchema, registry }),
    }),
    policies: keyValueStore({
      name: "matching-policies",
      key: stringKey,
      value: storeSerde({ name: "matching-policies", schema: zoneEntrySchema, registry }),
    }),
    surges: keyValueStore({
      name: "matching-surges",
      key: stringKey,
      value: storeSerde({ name: "matching-surges", schema: cellSurgeSchema, registry }),
    }),
    memories: keyValueStore({
      name: "matching-memories",
      key: stringKey,
      value: storeSerde({ name: "matching-memories", schema: cellMemorySchema, registry }),
    }),
  };
}
