/** Before the start: every schema the program writes has its id, and what others wrote or will read fits. */
import { SerdeError } from "../errors.ts";
import type { CompatibilityLevel } from "./compatibility.ts";
import { incompatibilities } from "./compatibility.ts";
import { RegistryClient, type RegistryEndpoint } from "./registry-client.ts";
import type { RegisteredSchema } from "./registry.ts";

/** A schema that the program is compiled with. */
export interface CompiledSubject {
  /** As serdes know it. */
  readonly subject: string;
  /** As the registry knows it, where that differs: the state of each application has subjects of its own. */
  readonly remoteSubject?: string;
  readonly schema: string;
  readonly level: CompatibilityLevel;
}

export interface LoadHttpRegistryOptions {
  readonly endpoint: RegistryEndpoint;
  readonly subjects: readonly CompiledSubject[];
  /** Registers what is missing and sets its level. Off in production. */
  readonly register?: boolean;
}

/** No more than the client has sockets: none of them waits for one. */
const SUBJECTS_AT_ONCE = 4;
/** Of a subject, the newest. */
const VERSIONS_MAX = 100;

/** Levels of a registry that promise at least what is asked for. */
const sufficient: Readonly<Record<Exclude<CompatibilityLevel, "NONE">, readonly string[]>> = {
  BACKWARD: ["BACKWARD", "BACKWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"],
  FULL: ["FULL", "FULL_TRANSITIVE"],
};

/**
 * All versions of all subjects: what `httpRegistry` starts from. Throws one SerdeError that names every problem at once:
 * SCHEMA_INCOMPATIBLE for schemas or levels that do not fit, UNKNOWN_SCHEMA for schemas that nobody has registered,
 * REGISTRY_UNAVAILABLE when the registry does not answer.
 */
export async function loadHttpRegistry(options: LoadHttpRegistryOptions): Promise<readonly RegisteredSchema[]> {
  using client = new RegistryClient(options.endpoint);
  const loaded: (readonly RegisteredSchema[])[] = [];
  const problems: SerdeError[] = [];
  const waiting = [...options.subjects.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, compiled] = next;
      try {
        loaded[index] = await loadSubject(client, compiled, options.register === true);
      } catch (error) {
        if (!(error instanceof SerdeError) || error.code === "REGISTRY_UNAVAILABLE") throw error;
        problems.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: SUBJECTS_AT_ONCE }, work));
  const [first] = problems;
  if (first === undefined) return loaded.flat();
  const incompatible = problems.find(({ code }) => code === "SCHEMA_INCOMPATIBLE") ?? first;
  const told = problems.map(({ code, message }) => message.slice(code.length + 1)).join("\n");
  throw problems.length === 1 ? first : new SerdeError(incompatible.code, `${problems.length} subjects:\n${told}`);
}

async function loadSubject(client: RegistryClient, compiled: CompiledSubject, register: boolean): Promise<RegisteredSchema[]> {
  const { subject, remoteSubject = subject, schema, level } = compiled;
  const before = await client.versions(remoteSubject);
  let own = before.length === 0 ? undefined : await client.find(remoteSubject, schema);
  if (own === undefined) {
    await refuseUnfit(client, compiled, before);
    if (!register)
      throw new SerdeError(
        "UNKNOWN_SCHEMA",
        `${remoteSubject}: this program's schema is not registered. Register it, or start once with --register-schemas.`,
        { subject: remoteSubject },
      );
    await client.register(remoteSubject, schema);
    if (before.length === 0 && level !== "NONE") await client.setCompatibility(remoteSubject, level);
    own = await client.find(remoteSubject, schema);
    if (own === undefined)
      throw new SerdeError("REGISTRY_UNAVAILABLE", `${client.name} took ${remoteSubject} and does not find it again. Look after it.`);
  }
  await refuseWeakLevel(client, remoteSubject, level);
  const entries: RegisteredSchema[] = [];
  for (const version of (await client.versions(remoteSubject)).slice(-VERSIONS_MAX)) {
    const found = version === own.version ? { ...own, schema } : await client.version(remoteSubject, version);
    if (found !== undefined) entries.push({ ...found, subject });
  }
  // Its own text is what serdes ask for, whatever the registry has made of it, and even where it is very old.
  if (!entries.some(({ version }) => version === own.version)) entries.unshift({ ...own, schema, subject });
  return entries;
}

/** Whatever the registry's own check says: replays and older readers count on ours. */
async function refuseUnfit(client: RegistryClient, compiled: CompiledSubject, versions: readonly number[]): Promise<void> {
  const { subject, remoteSubject = subject, schema, level } = compiled;
  const last = versions.at(-1);
  const latest = last === undefined ? undefined : await client.version(remoteSubject, last);
  const problems = latest === undefined ? [] : incompatibilities(level, schema, latest.schema);
  if (problems.length === 0) return;
  throw new SerdeError(
    "SCHEMA_INCOMPATIBLE",
    `${remoteSubject}: this program's schema is not ${level} to version ${last} of the registry: ${problems.join("; ")}. Run the program that fits, or write to a new topic.`,
    { subject: remoteSubject, reason: problems.join("; ") },
  );
}

async function refuseWeakLevel(client: RegistryClient, subject: string, level: CompatibilityLevel): Promise<void> {
  if (level === "NONE") return;
  const set = await client.compatibility(subject);
  // None of its own: the registry's default holds, which Confluent's does not tell with the subject.
  if (set === undefined || sufficient[level].includes(set)) return;
  throw new SerdeError(
    "SCHEMA_INCOMPATIBLE",
    `${subject}: the registry checks new versions for ${set}, but ${level} is promised. Set it: PUT /config/${subject} {"compatibility":"${level}"}.`,
    { subject, reason: `level ${set}` },
  );
}
