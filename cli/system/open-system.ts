/** Opens the database, the log, the registry and the topology of a folder, in the order in which they need each other. */
import { localInspector, type Inspector } from "#api";
import { openDisk, type DiskKind, type OwnedDisk } from "#disk";
import { openEmbeddedLog, type EmbeddedLog } from "#log";
import { logRegistry, type LogRegistry } from "#schemas";
import { openCommittedView, type Topology } from "#streams";
import { buildDispatch, dispatchTopics } from "#topologies";
import { createSerdes, type Serdes } from "#schemas";
import type { Settings } from "../settings.ts";
import { APPLICATION_ID } from "./dispatch-topology.ts";
import { schemaLogPort } from "./schema-log.ts";

export interface System extends AsyncDisposable {
  readonly disk: OwnedDisk;
  readonly log: EmbeddedLog;
  readonly registry: LogRegistry;
  readonly serdes: Serdes;
  readonly topology: Topology;
  readonly partitions: number;
  readonly inspector: Inspector;
}

export interface SystemOptions {
  readonly settings: Pick<Settings, "dir" | "partitions"> & Partial<Pick<Settings, "disk" | "durability">>;
}

/** Partitions of topics that exist already are kept, whatever the setting says. Rejects with DiskError or LogError. */
export async function openSystem({ settings }: SystemOptions): Promise<System> {
  // The settings' reader allows these values only.
  const kind = (settings.disk?.value ?? "auto") as DiskKind | "auto";
  const durability = (settings.durability?.value ?? "power") as "power" | "process";
  const disk = await openDisk({ location: settings.dir.value, kind });
  const log = await openEmbeddedLog({ disk, durability });
  const registry = await logRegistry(await schemaLogPort(log));
  const serdes = createSerdes(registry);
  const existing = await log.topics.describe(dispatchTopics(serdes).orders.name);
  const partitions = existing?.partitions ?? Number(settings.partitions.value);
  const topology = buildDispatch({ registry, partitions });
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
    partitions,
    inspector: localInspector({ log, topology, view, group: APPLICATION_ID }),
    [Symbol.asyncDispose]: close,
  };
}
