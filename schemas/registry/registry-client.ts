/**
 * A Confluent-compatible schema registry over HTTP: one request, one answer, nothing kept. Servers are always verified; an answer is
 * bounded in time and size; redirects are not followed. What the server says is text of a stranger until somebody has parsed it.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { SCHEMA_CHARACTERS_MAX } from "../avro/limits.ts";
import { SerdeError } from "../errors.ts";

/** Where a registry is and how it knows us; plain data, for worker threads. Secrets come from environment or file. */
export interface RegistryEndpoint {
  /** `http:` or `https:`, with the path of the API where it has one: Apicurio's is `/apis/ccompat/v7`. */
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string };
  /** PEM texts. The server is verified by the system's authorities where `ca` is not given. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string };
  /** For one answer; default 5 s. */
  readonly answerMsMax?: number;
}

/** A schema as the registry keeps it under a subject. */
export interface FoundSchema {
  readonly id: number;
  readonly version: number;
  readonly schema: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Query = readonly [method: "GET" | "POST" | "PUT", path: string, body?: object];

const ANSWER_MS_MAX = 5_000;
/** A schema inside JSON, each character escaped at worst. */
const ANSWER_BYTES_MAX = 2 * SCHEMA_CHARACTERS_MAX + 4_096;
const SOCKETS_MAX = 4;
const MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";
/** The API's own codes: a 404 without one of them is some other server's. */
const SUBJECT_NOT_FOUND = 40_401;
const VERSION_NOT_FOUND = 40_402;
const SCHEMA_NOT_FOUND = 40_403;
const LEVEL_NOT_FOUND = 40_408;
const INCOMPATIBLE = 409;
const INVALID_SCHEMA = 42_201;

/** Every call rejects with SerdeError `REGISTRY_UNAVAILABLE` when the registry does not answer as one does, or refuses us. */
export class RegistryClient implements Disposable {
  /** Without user, password and query: what messages name. */
  readonly name: string;
  readonly #base: URL;
  readonly #options: RequestOptions;
  readonly #agent: HttpAgent;
  readonly #answerMsMax: number;

  constructor({ url, auth, tls, answerMsMax = ANSWER_MS_MAX }: RegistryEndpoint) {
    this.#base = new URL(url.endsWith("/") ? url : `${url}/`);
    this.name = `${this.#base.origin}${this.#base.pathname}`;
    const pool = { keepAlive: true, maxSockets: SOCKETS_MAX };
    this.#agent = this.#base.protocol === "https:" ? new HttpsAgent({ ...pool, ...tls, rejectUnauthorized: true }) : new HttpAgent(pool);
    this.#answerMsMax = answerMsMax;
    const authorization = authorizationOf(auth);
    this.#options = {
      agent: this.#agent,
      headers: { accept: `${MEDIA_TYPE}, application/json`, ...(authorization === undefined ? {} : { authorization }) },
    };
  }

  /** Undefined: the registry has no such id. Throws SCHEMA_INVALID for an answer that is no Avro schema of its own. */
  async schemaById(id: number): Promise<string | undefined> {
    const body = await this.#ask(["GET", `schemas/ids/${id}`], [SCHEMA_NOT_FOUND]);
    return body === undefined ? undefined : schemaOf(body, `id=${id}`);
  }

  /** The id and version of exactly this schema under the subject. */
  async find(subject: string, schema: string): Promise<FoundSchema | undefined> {
    const body = await this.#ask(["POST", `subjects/${encodeURIComponent(subject)}`, { schema }], [SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND]);
    return body === undefined ? undefined : this.#found(body, subject);
  }

  /** One that is registered already keeps its id. Throws SCHEMA_INCOMPATIBLE or SCHEMA_INVALID in the registry's words. */
  async register(subject: string, schema: string): Promise<void> {
    await this.#ask(["POST", `subjects/${encodeURIComponent(subject)}/versions`, { schema }], []);
  }

  /** Numbers of the subject's versions; empty when there is no such subject. */
  async versions(subject: string): Promise<readonly number[]> {
    const body = await this.#ask(["GET", `subjects/${encodeURIComponent(subject)}/versions`], [SUBJECT_NOT_FOUND]);
    if (body === undefined) return [];
    if (Array.isArray(body) && body.every((each): each is number => Number.isInteger(each))) return body.toSorted((a, b) => a - b);
    throw this.#strange(`versions of ${subject}`);
  }

  async version(subject: string, version: number): Promise<FoundSchema | undefined> {
    const path = `subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const body = await this.#ask(["GET", path], [SUBJECT_NOT_FOUND, VERSION_NOT_FOUND]);
    return body === undefined ? undefined : this.#found(body, subject);
  }

  /** The level set for this subject, or the registry's own where it tells that instead; undefined when none is set. */
  async compatibility(subject: string): Promise<string | undefined> {
    const body = await this.#ask(["GET", `config/${encodeURIComponent(subject)}`], [SUBJECT_NOT_FOUND, LEVEL_NOT_FOUND]);
    const level = (body as { readonly compatibilityLevel?: unknown } | undefined)?.compatibilityLevel;
    return typeof level === "string" ? level.toUpperCase() : undefined;
  }

  async setCompatibility(subject: string, level: string): Promise<void> {
    await this.#ask(["PUT", `config/${encodeURIComponent(subject)}`, { compatibility: level }], []);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #found(body: unknown, subject: string): FoundSchema {
    const { id, version } = body as { readonly id?: unknown; readonly version?: unknown };
    if (!Number.isInteger(id) || !Number.isInteger(version)) throw this.#strange(`schema of ${subject}`);
    return { id: id as number, version: version as number, schema: schemaOf(body, subject) };
  }

  /** The body of a success; undefined for one of the `absent` codes. */
  async #ask(query: Query, absent: readonly number[]): Promise<unknown> {
    const [method, path] = query;
    const { status, body } = await this.#send(query);
    if (status >= 200 && status < 300) return body;
    const { error_code: code, message } = (body ?? {}) as { readonly error_code?: unknown; readonly message?: unknown };
    if (status === 404 && absent.includes(Number(code))) return undefined;
    const reason = typeof message === "string" ? message.slice(0, 500) : `status ${status}`;
    if (status === INCOMPATIBLE) throw new SerdeError("SCHEMA_INCOMPATIBLE", `${this.name} refuses ${path}: ${reason}`, { reason });
    if (code === INVALID_SCHEMA) throw new SerdeError("SCHEMA_INVALID", `${this.name} refuses ${path}: ${reason}`, { reason });
    const remedy = status === 401 || status === 403 ? "check its user, password or token" : "look after it, or check its address";
    throw this.#unavailable(`answers ${method} ${path} with status ${status}: ${reason}; ${remedy}`);
  }

  #strange(what: string): SerdeError {
    return this.#unavailable(`gives an answer that is no ${what}; check its address`);
  }

  #unavailable(reason: string, cause?: unknown): SerdeError {
    return new SerdeError("REGISTRY_UNAVAILABLE", `The schema registry at ${this.name} ${reason}.`, { reason, cause });
  }

  #send([method, path, body]: Query): Promise<Answer> {
    const url = new URL(path, this.#base);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        const reason = error instanceof Error ? error.message : String(error);
        reject(this.#unavailable(`does not answer ${method} ${path}: ${reason}`, error));
      };
      const signal = AbortSignal.timeout(this.#answerMsMax);
      const sent = send(url, { ...this.#options, method, signal }, (response) => {
        read(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: parse(answer) }), failed);
      });
      sent.once("error", failed);
      if (text !== undefined) sent.setHeader("content-type", MEDIA_TYPE).setHeader("content-length", Buffer.byteLength(text));
      sent.end(text);
    });
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the response and its socket.
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What is no JSON is some other server's page. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function schemaOf(body: unknown, what: string): string {
  const { schema, schemaType = "AVRO", references } = (body ?? {}) as Record<string, unknown>;
  const refuse = (reason: string): SerdeError => new SerdeError("SCHEMA_INVALID", `${what}: ${reason}.`, { reason });
  if (schemaType !== "AVRO") throw refuse(`the registry has ${String(schemaType)} there, not Avro`);
  if (Array.isArray(references) && references.length > 0) throw refuse("the schema refers to other subjects; write it out in one piece");
  if (typeof schema !== "string") throw refuse("the registry gives no schema");
  if (schema.length > SCHEMA_CHARACTERS_MAX) throw refuse(`${schema.length} characters, at most ${SCHEMA_CHARACTERS_MAX}`);
  return schema;
}

function authorizationOf(auth: RegistryEndpoint["auth"]): string | undefined {
  if (auth === undefined) return undefined;
  if ("token" in auth) return `Bearer ${auth.token}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
}
