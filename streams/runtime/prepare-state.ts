/** Before anything runs: does the state in the database belong to this application and this topology? */
import type { Disk } from "#disk";
import { ENGINE_STORE_ID, loadStoreIds, prefixEnd, rowPrefix } from "#state";
import { dropPositions } from "../changelog/position-rows.ts";
import type { Topology, TopologyManifest } from "../dsl/builder.ts";
import { TopologyError } from "../errors.ts";
import { migrationOf } from "../topology/manifest-difference.ts";
import { decodeManifest, encodeManifest } from "../topology/manifest-row.ts";

const MANIFEST_KEY = Buffer.concat([rowPrefix(ENGINE_STORE_ID, 0), Buffer.from("manifest")]);
const APPLICATION_KEY = Buffer.concat([rowPrefix(ENGINE_STORE_ID, 0), Buffer.from("application")]);

export interface PrepareStateOptions {
  readonly disk: Disk;
  readonly topology: Topology;
  readonly applicationId: string;
  /** Stores whose rows may be deleted because the topology changed. */
  readonly dropStores?: readonly string[];
}

/**
 * Store name → id. Writes the manifest the first time and after an allowed change; only one thread may call it while
 * something is to be written, so the application does before it starts threads, which then find everything as it should be.
 * Throws TopologyError: `MANIFEST_MISMATCH` with the differences, `MANIFEST_UNREADABLE`.
 */
export function prepareState({ disk, topology, applicationId, dropStores = [] }: PrepareStateOptions): ReadonlyMap<string, number> {
  checkApplication(disk, applicationId);
  const manifest = topology.manifest();
  const kept = disk.get("rows", MANIFEST_KEY);
  if (kept === undefined) writeManifest(disk, manifest, applicationId);
  else {
    const { drop } = migrationOf(decodeManifest(kept), manifest, { dropStores });
    if (drop.length > 0) dropRows(disk, drop);
    if (!kept.equals(encodeManifest(manifest))) writeManifest(disk, manifest, applicationId);
  }
  return loadStoreIds(
    disk,
    manifest.stores.map(({ name }) => name),
  );
}

function checkApplication(disk: Disk, applicationId: string): void {
  const owner = disk.get("rows", APPLICATION_KEY)?.toString("utf8");
  if (owner === undefined || owner === applicationId) return;
  throw new TopologyError("MANIFEST_MISMATCH", [
    `the state in ${disk.location} belongs to application ${owner}, not ${applicationId}: use another directory`,
  ]);
}

/** Not atomic, but repeatable: the manifest that would hide what is left comes after. */
function dropRows(disk: Disk, names: readonly string[]): void {
  const ids = loadStoreIds(disk, []);
  for (const name of names) {
    const id = ids.get(name);
    if (id === undefined) continue;
    dropPositions(disk, id);
    const prefix = rowPrefix(id, 0).subarray(0, 4);
    disk.deleteRange("rows", prefix, prefixEnd(prefix));
  }
}

function writeManifest(disk: Disk, manifest: TopologyManifest, applicationId: string): void {
  const batch = disk.batch();
  batch.put("rows", MANIFEST_KEY, encodeManifest(manifest));
  batch.put("rows", APPLICATION_KEY, Buffer.from(applicationId));
  disk.write(batch, { sync: true });
}
