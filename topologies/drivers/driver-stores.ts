/** The stores of the `drivers` subtopology. Their schemas may only grow compatibly: old rows are read for ever. */
import { defineSchema, jobContentSchema, planStopSchema, storeSerde, vehicleSchema } from "#schemas";
import type { SchemaRegistry } from "#schemas";
import { keyValueStore, priorityQueueStore, stringKey, stringSerde, timerStore } from "#state";
import { forgetStore } from "../forget-list.ts";
import { zoneEntrySchema } from "../zone-entry-schema.ts";
import type { DriverStores } from "./drivers-processor.ts";

const namespace = "dispatch.state.v1";
const duty = { type: "enum", name: "Duty", symbols: ["on", "off", "silent"] } as const;

/** Encoded once per driver and commit, for nearly every record of the application: nothing may be here that can be elsewhere. */
const whereaboutsSchema = defineSchema({
  type: "record",
  name: "DriverWhereabouts",
  namespace,
  fields: [
    { name: "duty", type: duty },
    { name: "tracked", type: "boolean" },
    { name: "latitude", type: "double" },
    { name: "longitude", type: "double" },
    { name: "recordedAt", type: "long" },
    { name: "seenAt", type: "long" },
    { name: "fineCell", type: "string" },
    { name: "zoneEpoch", type: "int" },
    { name: "newest", type: "bytes" },
    { name: "newestAt", type: "int" },
    { name: "older", type: "bytes" },
  ],
});

/** 256 bytes that one location in sixteen writes. */
const olderSchema = defineSchema({
  type: "record",
  name: "OlderLocations",
  namespace,
  fields: [{ name: "hashes", type: "bytes" }],
});

const holdSchema = {
  type: "record",
  name: "Hold",
  fields: [
    { name: "jobId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "orderVersion", type: "int" },
    { name: "content", type: jobContentSchema },
    { name: "status", type: { type: "enum", name: "HoldStatus", symbols: ["offered", "held", "pickedUp"] } },
    { name: "arrived", type: "boolean" },
    { name: "offerUntil", type: ["null", "long"] },
  ],
} as const;

const planSchema = defineSchema({
  type: "record",
  name: "DriverPlan",
  namespace,
  fields: [
    { name: "duty", type: duty },
    { name: "version", type: "int" },
    { name: "vehicle", type: vehicleSchema },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "capacity", type: "int" },
    { name: "shiftEndsAt", type: ["null", "long"] },
    { name: "cells", type: { type: "array", items: "string" } },
    { name: "holds", type: { type: "array", items: holdSchema } },
    { name: "stops", type: { type: "array", items: planStopSchema } },
    { name: "recentEvents", type: { type: "array", items: "string" } },
  ],
});

export function driverStores(registry: SchemaRegistry): DriverStores {
  return {
    whereabouts: keyValueStore({
      name: "driver-whereabouts",
      key: stringKey,
      value: storeSerde({ name: "driver-whereabouts", schema: whereaboutsSchema, registry }),
    }),
    older: keyValueStore({
      name: "driver-older-locations",
      key: stringKey,
      value: storeSerde({ name: "driver-older-locations", schema: olderSchema, registry }),
      // Read and written by one location in sixteen: not worth the memory of the rows that all of them need.
      cacheEntriesMax: 5_000,
    }),
    plans: keyValueStore({
      name: "driver-plans",
      key: stringKey,
      value: storeSerde({ name: "driver-plans", schema: planSchema, registry }),
    }),
    policies: keyValueStore({
      name: "driver-policies",
      key: stringKey,
      value: storeSerde({ name: "driver-policies", schema: zoneEntrySchema, registry }),
    }),
    silence: priorityQueueStore({ name: "driver-silence", value: stringSerde }),
    offers: timerStore({ name: "driver-offers", clock: "wall" }),
    over: forgetStore("drivers-over"),
  };
}
