import { SerdeError } from "../errors.ts";
import { MemoryRegistry, registerSubjects } from "./memory-registry.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";

/** The compacted topic that keeps the ids of an embedded log. One partition. */
export const SCHEMAS_TOPIC = "dispatch.schemas";

/** The little that a registry needs of a log; whoever puts the program together connects it to `SCHEMAS_TOPIC`. */
export interface SchemaLogPort {
  /** All records in order, of each key at least the last. */
  readAll(): Promise<Iterable<readonly [key: string, value: string]>>;
  /** Durable once it resolves. Calls are in order and never at the same time. */
  append(key: string, value: string): Promise<void>;
}

export interface LogRegistry extends SchemaRegistry {
  /** Resolves when everything registered so far is durable: await it before the first record is written with a new id. */
  flush(): Promise<void>;
}

/**
 * A registry kept on a log of ours, with the topics' schemas registered. One process at a time owns it, so ids are given here
 * and nobody else gives the same one. Throws SCHEMA_INCOMPATIBLE when the log holds schemas that the program cannot follow,
 * SCHEMA_INVALID when what it holds is no schema entry.
 */
export async function logRegistry(port: SchemaLogPort): Promise<LogRegistry> {
  const waiting: RegisteredSchema[] = [];
  const registry = new MemoryRegistry((entry) => waiting.push(entry));
  const entries = new Map<string, RegisteredSchema>();
  for (const [key, value] of await port.readAll()) entries.set(key, parseEntry(key, value));
  for (const entry of [...entries.values()].sort((a, b) => a.version - b.version || a.id - b.id)) registry.restore(entry);
  registerSubjects(registry);
  let flushing = Promise.resolve();
  const drain = async (): Promise<void> => {
    for (let entry = waiting[0]; entry !== undefined; entry = waiting[0]) {
      await port.append(`${entry.subject}/${entry.version}`, JSON.stringify(entry));
      waiting.shift();
    }
  };
  return {
    register: registry.register.bind(registry),
    schemaById: registry.schemaById.bind(registry),
    latest: registry.latest.bind(registry),
    all: registry.all.bind(registry),
    flush: () => (flushing = flushing.catch(() => undefined).then(drain)),
  };
}

function parseEntry(key: string, value: string): RegisteredSchema {
  let entry: Partial<RegisteredSchema> | null = null;
  let cause: unknown;
  try {
    entry = JSON.parse(value) as Partial<RegisteredSchema> | null;
  } catch (error) {
    cause = error;
  }
  const { id, subject, version, schema } = entry ?? {};
  if (!Number.isInteger(id) || !Number.isInteger(version) || typeof subject !== "string" || typeof schema !== "string")
    throw new SerdeError("SCHEMA_INVALID", `The record ${key} of ${SCHEMAS_TOPIC} is no schema entry: the topic is damaged or not ours.`, {
      cause,
    });
  return { id: id as number, subject, version: version as number, schema };
}
