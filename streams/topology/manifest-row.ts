/** The manifest as it is kept beside the state it describes: one row of JSON that a later version can still read. */
import type { TopologyManifest } from "../dsl/builder.ts";
import { TopologyError } from "../errors.ts";

const version = 1;

export function encodeManifest({ stores, internalTopics }: TopologyManifest): Buffer {
  return Buffer.from(JSON.stringify({ version, stores, internalTopics }), "utf8");
}

/** Throws TopologyError (`MANIFEST_UNREADABLE`) when the row is not a manifest of this version. */
export function decodeManifest(bytes: Uint8Array): TopologyManifest {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw unreadable("it is not JSON", cause);
  }
  if (!isObject(content)) throw unreadable("it is not an object");
  if (content["version"] !== version) throw unreadable(`its version is ${String(content["version"])}, not ${version}`);
  const { stores, internalTopics } = content;
  if (!Array.isArray(stores) || !stores.every(isStore)) throw unreadable("its stores are not described as they should be");
  if (!isStrings(internalTopics)) throw unreadable("its internal topics are not a list of names");
  return { stores, internalTopics };
}

function isStore(entry: unknown): entry is TopologyManifest["stores"][number] {
  return (
    isObject(entry) &&
    ["name", "kind", "subtopology", "partitioner"].every((field) => typeof entry[field] === "string") &&
    Number.isInteger(entry["partitions"]) &&
    isStrings(entry["serdes"])
  );
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function unreadable(why: string, cause?: unknown): TopologyError {
  const message = `the manifest kept with the state cannot be read: ${why}; use the version that wrote this directory, or another directory`;
  return new TopologyError("MANIFEST_UNREADABLE", [message], { cause });
}
