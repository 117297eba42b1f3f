import { SerdeError } from "../errors.ts";
import { parseSchema } from "../avro/parse-schema.ts";
import { schemaText } from "../avro/schema-text.ts";
import { subjects } from "../subjects.ts";
import { type CompatibilityLevel, incompatibilities } from "./compatibility.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";

export interface MemoryRegistryOptions {
  /** What another registry has in `all()`. Default: the schemas of all topics, in the order of `subjects`. */
  readonly loaded?: readonly RegisteredSchema[];
}

/** A registry for tests, virtual time and other threads of a process: ids count from 1 in the order of registration. */
export function memoryRegistry(options: MemoryRegistryOptions = {}): SchemaRegistry {
  const registry = new MemoryRegistry(() => undefined);
  for (const entry of options.loaded ?? []) registry.restore(entry);
  if (options.loaded === undefined) registerSubjects(registry);
  return registry;
}

/** Registers all topics, always in the same order: equal programs give equal ids. */
export function registerSubjects(registry: SchemaRegistry): void {
  for (const { subject, schema, compatibility } of subjects) registry.register(subject, schemaText(schema), compatibility);
}

/** Subjects and ids in maps; tells `onRegistered` of each new entry. */
export class MemoryRegistry implements SchemaRegistry {
  readonly #entries: RegisteredSchema[] = [];
  readonly #byId = new Map<number, string>();
  readonly #idByText = new Map<string, number>();
  readonly #latest = new Map<string, RegisteredSchema>();
  readonly #onRegistered: (entry: RegisteredSchema) => void;

  constructor(onRegistered: (entry: RegisteredSchema) => void) {
    this.#onRegistered = onRegistered;
  }

  register(subject: string, schema: string, level: CompatibilityLevel = "BACKWARD"): number {
    const known = this.#entries.find((entry) => entry.subject === subject && entry.schema === schema);
    if (known !== undefined) return known.id;
    parseSchema(schema);
    const before = this.#latest.get(subject);
    const problems = before === undefined ? [] : incompatibilities(level, schema, before.schema);
    if (problems.length > 0) {
      const reason = problems.join("; ");
      const remedy = "Give added fields a default, or write to a new topic.";
      throw new SerdeError(
        "SCHEMA_INCOMPATIBLE",
        `${subject} version ${(before?.version ?? 0) + 1} is not ${level}: ${reason}. ${remedy}`,
        {
          subject,
          reason,
        },
      );
    }
    const id = this.#idByText.get(schema) ?? this.#nextId();
    const entry = { id, subject, version: (before?.version ?? 0) + 1, schema };
    this.restore(entry);
    this.#onRegistered(entry);
    return id;
  }

  schemaById(id: number): string | undefined {
    return this.#byId.get(id);
  }

  latest(subject: string): RegisteredSchema | undefined {
    return this.#latest.get(subject);
  }

  all(): readonly RegisteredSchema[] {
    return [...this.#entries];
  }

  /** Takes an entry over as it is; entries of a subject come in the order of their versions. */
  restore(entry: RegisteredSchema): void {
    this.#entries.push(entry);
    this.#byId.set(entry.id, entry.schema);
    this.#idByText.set(entry.schema, entry.id);
    this.#latest.set(entry.subject, entry);
  }

  #nextId(): number {
    let id = 0;
    for (const used of this.#byId.keys()) id = Math.max(id, used);
    return id + 1;
  }
}
