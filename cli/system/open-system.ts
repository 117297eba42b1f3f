/** Opens the database, the log, the registry and the topology of a folder, in the order in which they need each other. */
import { localInspector, type Inspector } from "#api";
import { openDisk, type DiskKind, type OwnedDisk } from "#disk";
import { openEmbeddedLog, type Durability, type EmbeddedLog } from "#log";
import { createSerdes, logRegistry, type LogRegistry, type Serdes, type ZonePolicy } from "#schemas";
import { openCommittedView, type CommittedView, type Topology } from "#streams";
import { buildDispatch, dispatchTopics, type DispatchTopics } from "#topologies";
import type { Settings } from "../settings.ts";
import { APPLICATION_ID } from "./dispatch-topology.ts";
import { schemaLogPort } from "./schema-log.ts";

export interface System extends AsyncDisposable {
  readonly disk: OwnedDisk;
  readonly log: EmbeddedLog;
  readonly registry: LogRegistry;
  readonly serdes: Serdes;
  readonly topology: Topology;
  readonly topics: DispatchTopics;
  readonly partitions: number;
  /** Committed rows of all stores. */
  readonly view: CommittedView;
  readonly inspector: Inspector;
}

export interface SystemOptions {
  readonly directory: string;
  readonly kind: DiskKind | "auto";
  readonly durability: Durability;
  /** Of topics that do not exist yet. */
  readonly partitions: number;
  /** In force where none was published. */
  readonly policy?: ZonePolicy;
}

/** What the command's settings ask for. */
export function systemOptions(settings: Settings): SystemOptions {
  // The reader of the settings lets no other values pass.
  const kind = settings.disk.value as DiskKind | "auto";
  const durability = settings.durability.value as Durability;
  return { directory: settings.dir.value, kind, durability, partitions: Number(settings.partitions.value) };
}

/** Partitions of topics that exist already are kept. Rejects with DiskError, LogError or SerdeError. */
export async function openSystem({ directory, kind, durability, partitions: wanted, policy }: SystemOptions): Promise<System> {
  const disk = await openDisk({ location: directory, kind });
  const log = await openEmbeddedLog({ disk, durability });
  const registry = await logRegistry(await schemaLogPort(log));
  const serdes = createSerdes(registry);
  const existing = await log.topics.describe(dispatchTopics(serdes).orders.name);
  const partitions = existing?.partitions ?? wanted;
  const topology = buildDispatch({ registry, partitions, ...(policy === undefined ? {} : { defaultPolicy: policy }) });
  await registry.flush();
  const view = openCommittedView({ topology, disk, log, group: APPLICATION_ID });
  const close = async (): Promise<void> => {
    await log.close();
    await disk.close();
  };
  return {
    disk,
    log,
    registry,
    serdes,
    topology,
    topics: dispatchTopics(serdes, { partitions }),
    partitions,
    view,
    inspector: localInspector({ log, topology, view, group: APPLICATION_ID }),
    [Symbol.asyncDispose]: close,
  };
}
