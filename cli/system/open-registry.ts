/** Where schema ids come from: a registry server of the house, or a topic of the log. */
import type { Log } from "#log";
import {
  httpRegistry,
  loadHttpRegistry,
  logRegistry,
  memoryRegistry,
  subjects,
  type CompiledSubject,
  type RegistryEndpoint,
  type SchemaRegistry,
} from "#schemas";
import { buildDispatch } from "#topologies";
import { schemaLogPort } from "./schema-log.ts";

export interface RegistryOptions {
  /** Undefined: ids are kept on a topic of the log. */
  readonly endpoint?: RegistryEndpoint;
  /** Registers what a server does not have. */
  readonly register?: boolean;
  readonly applicationId: string;
}

export interface OpenRegistry {
  readonly registry: SchemaRegistry;
  /** Resolves when everything registered so far is durable: after the topology was built, before the first record. */
  readonly flush: () => Promise<void>;
  readonly close: () => void;
}

/** Rejects with SerdeError: a registry that does not answer, a schema that is missing there or does not fit. */
export async function openRegistry(log: Log, { endpoint, register = false, applicationId }: RegistryOptions): Promise<OpenRegistry> {
  if (endpoint === undefined) {
    const registry = await logRegistry(await schemaLogPort(log));
    return { registry, flush: () => registry.flush(), close: () => undefined };
  }
  const loaded = await loadHttpRegistry({ endpoint, subjects: compiledSubjects(applicationId), register });
  const registry = httpRegistry({ endpoint, loaded });
  return { registry, flush: () => Promise.resolve(), close: () => registry[Symbol.dispose]() };
}

/** Topics under their own names, which others share; stores under the application's, as their changelogs are called. */
export function compiledSubjects(applicationId: string): readonly CompiledSubject[] {
  const registry = memoryRegistry();
  buildDispatch({ registry });
  const levels = new Map(subjects.map(({ subject, compatibility }) => [subject, compatibility]));
  return registry.all().map(({ subject, schema }) => {
    const level = levels.get(subject);
    if (level !== undefined) return { subject, schema, level };
    const remoteSubject = `${applicationId}-${subject.replace(/-value$/, "")}-changelog-value`;
    return { subject, remoteSubject, schema, level: "BACKWARD" };
  });
}
