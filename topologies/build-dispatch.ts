/** The application's topology: five subtopologies over thirteen topics. */
import { createSerdes, memoryRegistry } from "#schemas";
import type { RegisteredSchema, SchemaRegistry, ZonePolicy } from "#schemas";
import { keyValueStore, numberSerde, stringKey } from "#state";
import { StreamsBuilder } from "#streams";
import type { KStream, Topology } from "#streams";
import { billingProcessor } from "./billing/billing-processor.ts";
import { defaultPolicy } from "./default-policy.ts";
import { driverStores } from "./drivers/driver-stores.ts";
import { driversProcessor } from "./drivers/drivers-processor.ts";
import type { DriversRecord } from "./drivers/drivers-processor.ts";
import type { Geography } from "./geography.ts";
import { h3Geography } from "./h3-geography.ts";
import { jobStores } from "./jobs/job-stores.ts";
import { jobsProcessor } from "./jobs/jobs-processor.ts";
import type { JobsRecord } from "./jobs/jobs-processor.ts";
import { matchingProcessor } from "./matching/matching-processor.ts";
import { matchingStores } from "./matching/matching-stores.ts";
import { policies as deployedPolicies } from "./matching/policies/policies.ts";
import type { Policy } from "./matching/policy.ts";
import { policiesProcessor } from "./policies/policies-processor.ts";
import { dispatchTopics } from "./topics.ts";

export interface DispatchOptions {
  /** Schemas of topics and stores; loaded. */
  readonly registry: SchemaRegistry;
  /** Of every topic but the policies'. Default 12. */
  readonly partitions?: number;
  /** Matching algorithms by name. Default: those of `matching/policies`. */
  readonly policies?: Readonly<Record<string, Policy>>;
  /** In force where none was ever published; its zone is "default". */
  readonly defaultPolicy?: ZonePolicy;
  readonly geography?: Geography;
}

/** Throws TopologyError if the topology does not fit together. */
export function buildDispatch(options: DispatchOptions): Topology {
  const { registry, policies = deployedPolicies, defaultPolicy: fallback = defaultPolicy, geography = h3Geography() } = options;
  const topics = dispatchTopics(createSerdes(registry), options.partitions === undefined ? {} : { partitions: options.partitions });
  const builder = new StreamsBuilder();

  const drivers = driverStores(registry);
  const events: KStream<string, DriversRecord> = builder.stream(topics.driverEvents);
  events
    .merge(builder.stream(topics.driverCommands))
    // Last: nearly every record is a location, and passes one step less.
    .merge(builder.stream(topics.driverLocations))
    .process({
      name: "drivers",
      stores: Object.values(drivers),
      sinks: [topics.matchingInput, topics.jobUpdates, topics.tracking, topics.refusals],
      processor: driversProcessor({ stores: drivers, topics, geography, fallback }),
    });

  const jobs = jobStores(registry);
  const orders: KStream<string, JobsRecord> = builder.stream(topics.orders);
  orders
    .merge(builder.stream(topics.rides))
    .merge(builder.stream(topics.jobUpdates))
    .process({
      name: "jobs",
      stores: Object.values(jobs),
      sinks: [topics.matchingInput, topics.driverCommands, topics.assignments, topics.trips, topics.refusals],
      processor: jobsProcessor({ stores: jobs, topics, geometry: geography, fallback }),
    });

  const matching = matchingStores(registry);
  builder.stream(topics.matchingInput).process({
    name: "matching",
    stores: Object.values(matching),
    sinks: [topics.matchingInput, topics.driverCommands],
    processor: matchingProcessor({ stores: matching, topics, geography, fallback, policies }),
  });

  const billed = keyValueStore({ name: "billed", key: stringKey, value: numberSerde });
  builder.stream(topics.trips).process({
    name: "billing",
    stores: [billed],
    sinks: [topics.bills],
    processor: billingProcessor({ billed, topics, metresBetween: (a, b) => geography.metresBetween(a, b) }),
  });

  builder.stream(topics.policies).process({
    name: "policies",
    sinks: [topics.driverCommands, topics.jobUpdates, topics.matchingInput],
    processor: policiesProcessor({ topics, known: Object.keys(policies) }),
  });
  return builder.build();
}

/** What a worker thread is handed to build the same topology; plain JSON. */
export interface DispatchEntryOptions {
  /** `registry.all()` of the thread that made it, after it has built the topology itself: then ids agree. */
  readonly schemas: readonly RegisteredSchema[];
  readonly partitions?: number;
  readonly defaultPolicy?: ZonePolicy;
}

/** The same topology from plain JSON, for a worker thread: `import("#topologies")`, then this. */
export function buildDispatchFromJson(options: DispatchEntryOptions): Topology {
  const { schemas, ...rest } = options;
  return buildDispatch({ ...rest, registry: memoryRegistry({ loaded: schemas }) });
}
