/** Opens the database, the log, the registry and the topology of a folder, in the order in which they need each other. */
import { INDEXED_STORES, localInspector, type Inspector } from "#api";
import { openDisk, type DiskKind, type OwnedDisk } from "#disk";
import { openEmbeddedLog, openKafkaLog, type Durability, type KafkaLogOptions, type Log } from "#log";
import { createSerdes, type RegistryEndpoint, type SchemaRegistry, type Serdes, type ZonePolicy } from "#schemas";
import { CommittedFeed, openCommittedView, type ApplicationOptions, type CommittedView, type Topology } from "#streams";
import { buildDispatch, dispatchModule, dispatchTopics, type DispatchTopics } from "#topologies";
import type { Settings } from "../settings.ts";
import { kafkaOptions, registryEndpoint } from "./connections.ts";
import { APPLICATION_ID } from "./dispatch-topology.ts";
import { openRegistry } from "./open-registry.ts";

export interface System extends AsyncDisposable {
  readonly applicationId: string;
  readonly disk: OwnedDisk;
  readonly log: Log;
  readonly registry: SchemaRegistry;
  readonly serdes: Serdes;
  readonly topology: Topology;
  readonly topics: DispatchTopics;
  readonly partitions: number;
  /** Committed rows of all stores. */
  readonly view: CommittedView;
  readonly inspector: Inspector;
  /** What an `Application` on this system needs: its threads in workers, where the database can be shared, and who hears of their rows. */
  readonly hosting: Pick<ApplicationOptions, "workers" | "openLog"> & { readonly feed: CommittedFeed };
}

export interface SystemOptions {
  readonly directory: string;
  readonly kind: DiskKind | "auto";
  readonly durability: Durability;
  /** Of topics that do not exist yet. */
  readonly partitions: number;
  /** In force where none was published. */
  readonly policy?: ZonePolicy;
  /** Default: `slackline-dispatch`. */
  readonly applicationId?: string;
  /** Default: the embedded log in the folder. */
  readonly kafka?: KafkaLogOptions;
  /** Default: ids on a topic of the log. */
  readonly registry?: { readonly endpoint: RegistryEndpoint; readonly register: boolean };
}

/** What the command's settings ask for. Throws CliError `USAGE` for a file that cannot be read. */
export function systemOptions(settings: Settings): SystemOptions {
  // The reader of the settings lets no other values pass.
  const kind = settings.disk.value as DiskKind | "auto";
  const durability = settings.durability.value as Durability;
  const kafka = kafkaOptions(settings);
  const endpoint = registryEndpoint(settings);
  return {
    directory: settings.dir.value,
    kind,
    durability,
    partitions: Number(settings.partitions.value),
    applicationId: settings.application.value,
    ...(kafka === undefined ? {} : { kafka }),
    ...(endpoint === undefined ? {} : { registry: { endpoint, register: settings["register-schemas"].value === "yes" } }),
  };
}

/** Partitions of topics that exist already are kept. Rejects with DiskError, LogError or SerdeError, and leaves nothing open. */
export async function openSystem(options: SystemOptions): Promise<System> {
  const { directory, kind, durability, partitions: wanted, policy, kafka, applicationId = APPLICATION_ID } = options;
  await using opened = new AsyncDisposableStack();
  // Rows beside Kafka are made anew from their changelogs; a folder that is the log is all there is.
  const disk = await openDisk({ location: directory, kind, onDamage: kafka === undefined ? "refuse" : "set-aside" });
  opened.defer(() => disk.close());
  const log = kafka === undefined ? await openEmbeddedLog({ disk, durability }) : await openKafkaLog(kafka);
  opened.defer(() => log.close());
  const { registry, flush, close } = await openRegistry(log, { ...options.registry, applicationId });
  opened.defer(close);
  const serdes = createSerdes(registry);
  const existing = await log.topics.describe(dispatchTopics(serdes).orders.name);
  const partitions = existing?.partitions ?? wanted;
  const fallback = policy === undefined ? {} : { defaultPolicy: policy };
  const topology = buildDispatch({ registry, partitions, ...fallback });
  await flush();
  const view = openCommittedView({ topology, disk, log, group: applicationId });
  const feed = new CommittedFeed({ topology, view, stores: INDEXED_STORES });
  opened.defer(() => feed[Symbol.asyncDispose]());
  const { endpoint } = options.registry ?? {};
  const remote = endpoint === undefined ? {} : { registry: endpoint };
  const stack = opened.move();
  return {
    applicationId,
    disk,
    log,
    registry,
    serdes,
    topology,
    topics: dispatchTopics(serdes, { partitions }),
    partitions,
    view,
    inspector: localInspector({ log, topology, view, group: applicationId }),
    hosting: {
      feed,
      ...(disk.share() === undefined ? {} : { workers: dispatchModule({ schemas: registry.all(), partitions, ...fallback, ...remote }) }),
      ...(kafka === undefined ? {} : { openLog: { kind: "kafka", options: kafka } }),
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
