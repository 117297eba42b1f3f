/** The stores of the `jobs` subtopology. Their schemas may only grow compatibly: old rows are read for ever. */
import { defineSchema, jobContentSchema, storeSerde } from "#schemas";
import type { SchemaRegistry } from "#schemas";
import { keyValueStore, stringKey, timerStore } from "#state";
import { forgetStore } from "../forget-list.ts";
import { zoneEntrySchema } from "../zone-entry-schema.ts";
import type { JobStores } from "./jobs-processor.ts";

const jobDriverSchema = {
  type: "record",
  name: "JobDriver",
  fields: [
    { name: "driverId", type: "string" },
    { name: "driverVersion", type: "int" },
    { name: "proposalId", type: "string" },
    { name: "policy", type: "string" },
    { name: "slackMs", type: "double" },
    { name: "pickupEta", type: "long" },
  ],
} as const;

const jobSchema = defineSchema({
  type: "record",
  name: "Job",
  namespace: "dispatch.state.v1",
  fields: [
    { name: "jobId", type: "string" },
    {
      name: "state",
      type: {
        type: "enum",
        name: "JobState",
        symbols: ["open", "offered", "assigned", "atPickup", "pickedUp", "completed", "cancelled", "failed"],
      },
    },
    { name: "attempt", type: "int" },
    { name: "orderVersion", type: "int" },
    { name: "jobVersion", type: "int" },
    { name: "content", type: ["null", jobContentSchema] },
    { name: "driver", type: ["null", jobDriverSchema] },
    { name: "excludedDrivers", type: { type: "array", items: "string" } },
    { name: "cell", type: "string" },
    { name: "retryAt", type: "long" },
    { name: "deadlineAt", type: "long" },
    { name: "recentEvents", type: { type: "array", items: "string" } },
    { name: "surgeMilli", type: "int", default: 1000 },
    { name: "nearCells", type: { type: "array", items: "string" }, default: [] },
  ],
});

const toldSurgeSchema = defineSchema({
  type: "record",
  name: "ToldSurge",
  namespace: "dispatch.state.v1",
  fields: [
    { name: "surgeMilli", type: "int" },
    { name: "from", type: "long", default: 0 },
    { name: "until", type: "long" },
  ],
});

export function jobStores(registry: SchemaRegistry): JobStores {
  return {
    jobs: keyValueStore({ name: "jobs", key: stringKey, value: storeSerde({ name: "jobs", schema: jobSchema, registry }) }),
    policies: keyValueStore({
      name: "job-policies",
      key: stringKey,
      value: storeSerde({ name: "job-policies", schema: zoneEntrySchema, registry }),
    }),
    deadlines: timerStore({ name: "job-deadlines", clock: "wall" }),
    ended: forgetStore("jobs-ended"),
    surges: keyValueStore({
      name: "job-surges",
      key: stringKey,
      value: storeSerde({ name: "job-surges", schema: toldSurgeSchema, registry }),
    }),
  };
}
