/** What changed between the topology that wrote the state and the one that would read it. */
import type { TopologyManifest } from "../dsl/builder.ts";
import { TopologyError } from "../errors.ts";

type StoreEntry = TopologyManifest["stores"][number];

/** One difference; `text` is the line that people read. */
export interface ManifestDifference {
  readonly subject: "store" | "internal topic";
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly text: string;
}

/**
 * Everything that binds state and differs, stores by name, then internal topics. In which subtopology a store stands does
 * not bind it: rows are found by store and partition.
 */
export function diffManifest(old: TopologyManifest, now: TopologyManifest): readonly ManifestDifference[] {
  const differences: ManifestDifference[] = [];
  const before = new Map(old.stores.map((store) => [store.name, store]));
  const after = new Map(now.stores.map((store) => [store.name, store]));
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    differences.push(...storeDifferences(name, before.get(name), after.get(name)));
  }
  for (const name of [...new Set([...old.internalTopics, ...now.internalTopics])].sort()) {
    const change = !now.internalTopics.includes(name) ? "removed" : old.internalTopics.includes(name) ? undefined : "added";
    if (change !== undefined) differences.push({ subject: "internal topic", name, change, text: `internal topic ${name}: ${change}` });
  }
  return differences;
}

function storeDifferences(name: string, old: StoreEntry | undefined, now: StoreEntry | undefined): ManifestDifference[] {
  const difference = (change: ManifestDifference["change"], text: string): ManifestDifference => ({
    subject: "store",
    name,
    change,
    text: `store ${name}: ${text}`,
  });
  if (old === undefined) return now === undefined ? [] : [difference("added", `added (${shape(now)})`)];
  if (now === undefined) return [difference("removed", `removed (${shape(old)})`)];
  return (["kind", "serdes", "partitions", "partitioner"] as const)
    .filter((field) => String(old[field]) !== String(now[field]))
    .map((field) => difference("changed", `${field} ${shown(old[field])} → ${shown(now[field])}`));
}

function shape({ kind, serdes, partitions, partitioner }: StoreEntry): string {
  return `${[kind, ...serdes].join(", ")}, ${partitions} partitions by ${partitioner}`;
}

function shown(value: string | number | readonly string[]): string {
  return typeof value === "object" ? `[${value.join(", ")}]` : String(value);
}

/**
 * May the new topology go on with the state of the old one? Answers the stores whose rows must be deleted first. What is
 * only added needs nothing; whatever was removed or changed must be named in `dropStores`. Throws TopologyError
 * (`MANIFEST_MISMATCH`) with one line per difference that nobody allowed, and last what to type to allow them all.
 */
export function migrationOf(
  old: TopologyManifest,
  now: TopologyManifest,
  { dropStores = [] }: { readonly dropStores?: readonly string[] } = {},
): { readonly drop: readonly string[] } {
  const known = new Set([...old.stores, ...now.stores].map(({ name }) => name));
  const unknown = dropStores.filter((name) => !known.has(name)).map((name) => `store ${name}: asked to be dropped, but there is none`);
  const blocking = diffManifest(old, now).filter(
    ({ subject, name, change }) => change !== "added" && !(subject === "store" && dropStores.includes(name)),
  );
  const problems = [...unknown, ...blocking.map(({ text }) => text)];
  if (problems.length > 0) {
    const stores = blocking.filter(({ subject }) => subject === "store").map(({ name }) => name);
    throw new TopologyError("MANIFEST_MISMATCH", [...problems, remedy([...dropStores.filter((name) => known.has(name)), ...stores])]);
  }
  return { drop: [...new Set(dropStores)].sort() };
}

function remedy(stores: readonly string[]): string {
  const flags = [...new Set(stores)].sort().map((name) => `--migrate drop-store=${name}`);
  const restore = "the state was written by another topology: restore that one";
  return flags.length === 0 ? restore : `${restore}, or delete what these stores hold: start with ${flags.join(" ")}`;
}
