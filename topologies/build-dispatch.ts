/** The application's topology: five subtopologies over fourteen topics. */
import { createSerdes, httpRegistry, memoryRegistry } from "#schemas";
import type { RegisteredSchema, RegistryEndpoint, SchemaRegistry, ZonePolicy } from "#schemas";
import { keyValueStore, numberSerde, stringKey } from "#state";
import { StreamsBuilder } from "#streams";
import type { KStream, Topology, TopologyModule } from "#streams";
import { billingProcessor } from "./billing/billing-processor.ts";
import { defaultPolicy } from "./default-policy.ts";
import { driverStores } from "./drivers/driver-stores.ts";
import { driversProcessor } from "./drivers/drivers-processor.ts";
import type { DriversRecord } from "./drivers/drivers-processor.ts";
import { forgetStore } from "./forget-list.ts";
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

  const { matchingInput, jobUpdates, driverCommands, driverMoves, assignments, trips, bills, tracking, refusals } = topics;

  const drivers = driverStores(registry);
  const driverSinks = { matchingInput, jobUpdates, driverMoves, tracking, refusals };
  const events: KStream<string, DriversRecord> = builder.stream(topics.driverEvents);
  events
    .merge(builder.stream(topics.driverCommands))
    // Last: nearly every record is a location, and passes one step less.
    .merge(builder.stream(topics.driverLocations))
    .process({
      name: "drivers",
      stores: Object.values(drivers),
      sinks: Object.values(driverSinks),
      processor: driversProcessor({ stores: drivers, topics: driverSinks, geography, fallback }),
    });

  const jobs = jobStores(registry);
  const jobSinks = { matchingInput, driverCommands, assignments, trips, refusals };
  const orders: KStream<string, JobsRecord> = builder.stream(topics.orders);
  orders
    .merge(builder.stream(topics.rides))
    .merge(builder.stream(topics.jobUpdates))
    .process({
      name: "jobs",
      stores: Object.values(jobs),
      sinks: Object.values(jobSinks),
      processor: jobsProcessor({ stores: jobs, topics: jobSinks, geometry: geography, fallback }),
    });

  const matching = matchingStores(registry);
  const matchingSinks = { matchingInput, driverCommands, jobUpdates };
  builder.stream(matchingInput).process({
    name: "matching",
    stores: Object.values(matching),
    sinks: Object.values(matchingSinks),
    processor: matchingProcessor({ stores: matching, topics: matchingSinks, geography, fallback, policies }),
  });

  const billed = keyValueStore({ name: "billed", key: stringKey, value: numberSerde });
  const forgets = forgetStore("billed-by-time");
  builder.stream(trips).process({
    name: "billing",
    stores: [billed, forgets],
    sinks: [bills],
    processor: billingProcessor({ billed, forgets, topics: { bills }, metresBetween: (a, b) => geography.metresBetween(a, b) }),
  });

  const copies = { driverCommands, jobUpdates, matchingInput };
  builder.stream(topics.policies).process({
    name: "policies",
    sinks: Object.values(copies),
    processor: policiesProcessor({ topics: copies, known: Object.keys(policies) }),
  });
  return builder.build();
}

/** What a worker thread is handed to build the same topology; plain JSON. */
export interface DispatchEntryOptions {
  /** `registry.all()` of the thread that made it, after it has built the topology itself: then ids agree. */
  readonly schemas: readonly RegisteredSchema[];
  /** Where ids are asked for that are not among `schemas`; default: there are no others. */
  readonly registry?: RegistryEndpoint;
  readonly partitions?: number;
  readonly defaultPolicy?: ZonePolicy;
}

/** The same topology from plain JSON. */
export function buildDispatchFromJson(options: DispatchEntryOptions): Topology {
  const { schemas: loaded, registry: endpoint, ...rest } = options;
  return buildDispatch({ ...rest, registry: endpoint === undefined ? memoryRegistry({ loaded }) : httpRegistry({ endpoint, loaded }) });
}

/** For `Application`'s workers: each builds the topology itself. */
export function dispatchModule(options: DispatchEntryOptions): TopologyModule {
  return { url: new URL("./dispatch-worker.ts", import.meta.url).href, name: "dispatchFactory", argument: options };
}
