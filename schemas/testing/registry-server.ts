/** A schema registry as Confluent's answers, in memory, on a port of its own. It can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CompatibilityLevel, incompatibilities } from "../registry/compatibility.ts";

export interface RegistryServer extends AsyncDisposable {
  readonly url: string;
  /** Method and path of each request so far. */
  readonly requests: string[];
  /** "up" by default; "page" is some other server's 404, "huge" an answer without end. */
  mood: "up" | "down" | "hangs" | "page" | "huge" | "redirects";
  /** Expected in `authorization`; anybody may ask while undefined. */
  authorization: string | undefined;
  /** A schema as if somebody else had registered it. */
  plant(subject: string, schema: string): number;
  /** An id with an answer that no registry of Avro schemas gives. */
  plantRaw(id: number, body: object): void;
}

interface Problem {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

class Registry {
  readonly schemas = new Map<number, object>();
  readonly subjects = new Map<string, { readonly id: number; readonly schema: string }[]>();
  readonly levels = new Map<string, string>();

  answer(method: string, path: readonly string[], body: Record<string, unknown>): object | Problem {
    const [kind = "", name = "", ...rest] = path;
    if (kind === "schemas") return this.schemas.get(Number(rest[0])) ?? problem(404, 40_403, "Schema not found");
    if (kind === "config" && method === "PUT") return this.#setLevel(name, String(body["compatibility"]));
    if (kind === "config") {
      const compatibilityLevel = this.levels.get(name);
      return compatibilityLevel === undefined
        ? problem(404, 40_408, "Subject does not have subject-level compatibility")
        : { compatibilityLevel };
    }
    return this.#subject(method, name, rest, String(body["schema"]));
  }

  add(subject: string, schema: string): number {
    const versions = this.subjects.get(subject) ?? [];
    this.subjects.set(subject, versions);
    const known = [...this.schemas].find(([, value]) => (value as { readonly schema?: string }).schema === schema)?.[0];
    const id = known ?? Math.max(0, ...this.schemas.keys()) + 1;
    if (!versions.some((each) => each.id === id)) versions.push({ id, schema });
    this.schemas.set(id, { schema });
    return id;
  }

  #setLevel(subject: string, level: string): object {
    this.levels.set(subject, level);
    return { compatibility: level };
  }

  #subject(method: string, subject: string, rest: readonly string[], schema: string): object | Problem {
    const versions = this.subjects.get(subject);
    const found = (index: number): object | Problem => {
      const entry = versions?.[index];
      return entry === undefined ? problem(404, 40_402, "Version not found") : { subject, version: index + 1, ...entry };
    };
    if (method === "POST" && rest[0] === "versions") return this.#register(subject, schema);
    if (versions === undefined) return problem(404, 40_401, "Subject not found");
    if (method === "POST") {
      const index = versions.findIndex((each) => each.schema === schema);
      return index < 0 ? problem(404, 40_403, "Schema not found") : found(index);
    }
    if (rest.length === 1) return versions.map((_, index) => index + 1);
    return found(rest[1] === "latest" ? versions.length - 1 : Number(rest[1]) - 1);
  }

  #register(subject: string, schema: string): object | Problem {
    const before = this.subjects.get(subject)?.at(-1);
    const level = (this.levels.get(subject) ?? "BACKWARD") as CompatibilityLevel; // tests set no others
    try {
      const problems = before === undefined ? [] : incompatibilities(level, schema, before.schema);
      if (problems.length > 0) return problem(409, 409, `Schema being registered is incompatible: ${problems.join("; ")}`);
    } catch {
      return problem(422, 42_201, "Input schema is an invalid Avro schema");
    }
    return { id: this.add(subject, schema) };
  }
}

/** Listens on a free port of the loopback. Its API lies under a path, as Apicurio's does. */
export async function startRegistryServer(): Promise<RegistryServer> {
  const registry = new Registry();
  const state: Pick<RegistryServer, "mood" | "authorization"> = { mood: "up", authorization: undefined };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    void handle(registry, state, request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/registry`,
    requests,
    plant: (subject: string, schema: string) => registry.add(subject, schema),
    plantRaw: (id: number, body: object) => void registry.schemas.set(id, body),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

async function handle(
  registry: Registry,
  { mood, authorization }: Pick<RegistryServer, "mood" | "authorization">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  if (mood === "hangs") return;
  if (mood === "down") return void request.socket.destroy();
  if (mood === "page") return void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404</h1>");
  if (mood === "redirects") return void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
  if (mood === "huge") return pour(response);
  if (authorization !== undefined && request.headers.authorization !== authorization)
    return reply(response, problem(401, 401, "Unauthorized"));
  const [, root, ...path] = (request.url ?? "").split("/").map(decodeURIComponent);
  if (root !== "registry") return reply(response, problem(404, 404, "Not found"));
  const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  return reply(response, registry.answer(request.method ?? "", path, body));
}

function pour(response: ServerResponse): void {
  const chunk = "x".repeat(65_536);
  const more = (): void => {
    if (!response.destroyed && response.write(chunk)) setImmediate(more);
  };
  response.on("drain", more);
  more();
}

function problem(status: number, code: number, message: string): Problem {
  return { status, code, message };
}

function reply(response: ServerResponse, answer: object | Problem): void {
  response.setHeader("content-type", "application/vnd.schemaregistry.v1+json");
  if ("status" in answer) response.writeHead(answer.status).end(JSON.stringify({ error_code: answer.code, message: answer.message }));
  else response.writeHead(200).end(JSON.stringify(answer));
}
