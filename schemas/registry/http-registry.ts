/**
 * The registry of others, as the middle of a record sees it: synchronous. What the program writes with was loaded at the start; a
 * writer's id that is not known is asked for behind the record, which waits meanwhile at the head of its partition.
 */
import { parseSchema } from "../avro/parse-schema.ts";
import { SerdeError } from "../errors.ts";
import { RegistryClient, type RegistryEndpoint } from "./registry-client.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";

export interface HttpRegistryOptions {
  readonly endpoint: RegistryEndpoint;
  /** What `loadHttpRegistry` found. Never forgotten. */
  readonly loaded: readonly RegisteredSchema[];
  /** Ids kept beside the loaded ones; the one that was first asked for goes first. Default 1,000. */
  readonly idsMax?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** From 0 up to 1, for the pauses between attempts. */
  readonly random?: () => number;
}

export interface HttpRegistry extends SchemaRegistry, Disposable {}

const IDS_MAX = 1_000;
const LOOKUPS_MAX = 8;
const BACKOFF_BASE_MS = 50;
const BACKOFF_CAP_MS = 5_000;
/** An id that does not exist may be registered yet: whoever writes it out of turn is heard after that long. */
const ABSENT_KEPT_MS = 10_000;

/** What is known of an id that was looked up. */
type Outcome = { readonly schema: string } | { readonly absentUntil: number } | { readonly refused: SerdeError };

/** Asks nothing until an id is met that was not loaded. */
export function httpRegistry(options: HttpRegistryOptions): HttpRegistry {
  return new LookingUpRegistry(options);
}

class LookingUpRegistry implements HttpRegistry {
  readonly #client: RegistryClient;
  readonly #loaded: readonly RegisteredSchema[];
  readonly #loadedById: ReadonlyMap<number, string>;
  readonly #idsMax: number;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #outcomes = new Map<number, Outcome>();
  readonly #asking = new Set<number>();
  #failures = 0;
  #askAgainAt = -Infinity;
  #lastFailure: SerdeError | undefined;

  constructor({ endpoint, loaded, idsMax = IDS_MAX, now = () => performance.now(), random = Math.random }: HttpRegistryOptions) {
    this.#client = new RegistryClient(endpoint);
    this.#loaded = [...loaded];
    this.#loadedById = new Map(loaded.map(({ id, schema }) => [id, schema]));
    this.#idsMax = idsMax;
    this.#now = now;
    this.#random = random;
  }

  /** Only what was loaded: a program in production never registers on the way. */
  register(subject: string, schema: string): number {
    const known = this.#loaded.find((entry) => entry.subject === subject && entry.schema === schema);
    if (known !== undefined) return known.id;
    throw new SerdeError("UNKNOWN_SCHEMA", `${subject}: this schema was not loaded from the registry at start. Load it before use.`, {
      subject,
    });
  }

  schemaById(id: number): string | undefined {
    const loaded = this.#loadedById.get(id);
    if (loaded !== undefined) return loaded;
    const outcome = this.#outcomes.get(id);
    if (outcome !== undefined) {
      if ("schema" in outcome) return outcome.schema;
      if ("refused" in outcome) throw outcome.refused;
      if (this.#now() < outcome.absentUntil) return undefined;
    }
    this.#lookUp(id);
    const why = this.#lastFailure?.facts.reason ?? "the answer is on its way";
    throw new SerdeError("REGISTRY_UNAVAILABLE", `id=${id} ${this.#client.name}: ${why}. The record waits.`, { schemaId: id, reason: why });
  }

  latest(subject: string): RegisteredSchema | undefined {
    return this.#loaded.findLast((entry) => entry.subject === subject);
  }

  all(): readonly RegisteredSchema[] {
    return this.#loaded;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  /** At most one request for an id, few at once, and only a probe at a time while the registry is down. */
  #lookUp(id: number): void {
    const most = this.#failures > 0 ? 1 : LOOKUPS_MAX;
    if (this.#asking.has(id) || this.#asking.size >= most || this.#now() < this.#askAgainAt) return;
    this.#asking.add(id);
    this.#client.schemaById(id).then(
      (schema) => this.#learned(id, schema === undefined ? { absentUntil: this.#now() + ABSENT_KEPT_MS } : examined(schema)),
      (error: unknown) => this.#failed(id, error),
    );
  }

  #learned(id: number, outcome: Outcome): void {
    this.#asking.delete(id);
    this.#failures = 0;
    this.#askAgainAt = -Infinity;
    this.#lastFailure = undefined;
    // Asked for anew it counts as young.
    this.#outcomes.delete(id);
    const [oldest] = this.#outcomes.keys();
    if (oldest !== undefined && this.#outcomes.size >= this.#idsMax) this.#outcomes.delete(oldest);
    this.#outcomes.set(id, outcome);
  }

  #failed(id: number, error: unknown): void {
    const failure = error instanceof SerdeError ? error : new SerdeError("REGISTRY_UNAVAILABLE", String(error), { cause: error });
    // The registry has answered; its answer cannot be used.
    if (failure.code !== "REGISTRY_UNAVAILABLE") return this.#learned(id, { refused: failure });
    this.#asking.delete(id);
    this.#lastFailure = failure;
    const bound = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(this.#failures++, 16));
    this.#askAgainAt = this.#now() + this.#random() * bound;
  }
}

/** Size, depth and names before anybody compiles it. */
function examined(schema: string): Outcome {
  try {
    parseSchema(schema);
    return { schema };
  } catch (error) {
    if (error instanceof SerdeError) return { refused: error };
    throw error;
  }
}
