/** The HTTP server beside a running application: what upstream writes, what anybody asks, health and metrics. Routes are plugins, a file per group. */
import { randomBytes } from "node:crypto";
import fastify, { type FastifyInstance } from "fastify";
import helmet from "@fastify/helmet";
import { answerErrors, sendProblem, type FailureListener } from "./access/answer-errors.ts";
import { guardRoutes } from "./access/guard.ts";
import { strictJsonBodies } from "./access/json-body.ts";
import { digestOf, type Access } from "./access/tokens.ts";
import { problemOf } from "./errors.ts";
import { documentRoutes } from "./document/document-routes.ts";
import { forwardRoutes, type ForwardRoutesOptions } from "./forward/forward-routes.ts";
import { HttpMetrics } from "./http-metrics.ts";
import type { Ingest } from "./ingest/ingest.ts";
import type { Inspector } from "./inspector.ts";
import type { TrackingHub } from "./live/tracking-hub.ts";
import type { Queries } from "./queries/queries.ts";
import { healthRoutes, type Health } from "./routes/health.ts";
import { ingestRoutes } from "./routes/ingest.ts";
import { inspectionRoutes } from "./routes/inspection.ts";
import { queryRoutes } from "./routes/queries.ts";
import { streamRoutes } from "./routes/streams.ts";

/** What serves upstream and askers; `dispatchServices` makes all of it. What is absent is not served: its routes answer 404. */
export interface ServerServices {
  readonly ingest?: Ingest;
  readonly queries?: Queries;
  readonly tracking?: TrackingHub;
  /** What other instances may ask. */
  readonly forward?: ForwardRoutesOptions;
}

export interface ServerOptions {
  readonly inspector: Inspector;
  readonly health: Health;
  /** Prometheus text; the server's own metrics follow it. */
  readonly metrics: () => Promise<string>;
  /** Who may ask: `{ kind: "open" }` is for demonstrations and tests alone. */
  readonly access: Access;
  readonly services?: ServerServices;
  /** Hears of every failure of ours, with the route's pattern and never its parameters; the answer says nothing but `INTERNAL`. */
  readonly onFailure?: FailureListener;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Tried first; the next ones, up to 20, if it is taken. 0 takes any. */
  readonly port: number;
  /** Requests of one principal in a second; default 5,000. */
  readonly requestsPerSecondMax?: number;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /** For commands on this host: an operator's token of this start alone. Undefined where access is open. */
  readonly operatorToken: string | undefined;
  /** Answers `/readyz` with 503 from now on. */
  drain(): void;
  close(): Promise<void>;
}

const portsTried = 20;
const requestTimeoutMs = 10_000;
const connectionTimeoutMs = 60_000;
const keepAliveTimeoutMs = 72_000;
/** Of a topic, store or key in a path. */
const pathPartCharactersMax = 1_024;
const tokenBytes = 32;

/** Throws the operating system's error when no port of the range is free. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let draining = false;
  const health: Health = { ready: () => (draining ? { ready: false, reason: "draining" } : options.health.ready()) };
  const operatorToken = options.access.kind === "open" ? undefined : randomBytes(tokenBytes).toString("base64url");
  const access = withToken(options.access, operatorToken);
  const { app, url } = await listen(() => build({ ...options, health, access }), options);
  const close = async (): Promise<void> => {
    draining = true;
    options.services?.tracking?.closeFollowers();
    await app.close();
  };
  return {
    url,
    operatorToken,
    drain() {
      draining = true;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The application without a socket, for the document of its routes. */
export async function build(options: Omit<ServerOptions, "port" | "host">): Promise<FastifyInstance> {
  const { inspector, health, metrics, access, services = {}, onFailure, requestsPerSecondMax } = options;
  const app = fastify({
    routerOptions: { maxParamLength: pathPartCharactersMax },
    // Paths that cannot even be decoded.
    frameworkErrors: (error, request, reply) => answerErrors(onFailure)(error, request, reply),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectionTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    // A HEAD of a stream would open it.
    exposeHeadRoutes: false,
    ajv: { customOptions: { strict: false, removeAdditional: false } },
  });
  // Answers are written as they are: no schema leaves a field out.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  const http = new HttpMetrics();
  http.observe(app);
  app.setErrorHandler(answerErrors(onFailure));
  app.setNotFoundHandler((request, reply) => {
    sendProblem(reply, problemOf("ROUTE_NOT_FOUND", `${request.method} ${request.url} is not served here`));
  });
  strictJsonBodies(app);
  // The document's pages need another policy than the answers, and TLS ends elsewhere.
  await app.register(helmet, { contentSecurityPolicy: false, strictTransportSecurity: false });
  await guardRoutes(app, { access, ...(requestsPerSecondMax === undefined ? {} : { requestsPerSecondMax }) });
  await documentRoutes(app);
  const allMetrics = async (): Promise<string> => `${await metrics()}${await http.text(services.tracking)}`;
  void app.register(healthRoutes, { health, metrics: allMetrics });
  void app.register(inspectionRoutes, { inspector });
  const { ingest, queries, tracking, forward } = services;
  if (forward !== undefined) void app.register(forwardRoutes, forward);
  if (ingest !== undefined) void app.register(ingestRoutes, { ingest });
  if (queries !== undefined) void app.register(queryRoutes, { queries });
  if (queries !== undefined && tracking !== undefined) void app.register(streamRoutes, { tracking });
  return app;
}

function withToken(access: Access, token: string | undefined): Access {
  if (access.kind === "open" || token === undefined) return access;
  const principal = { name: "this-host", scopes: new Set(["operator", "query"] as const), own: undefined };
  return { kind: "tokens", tokens: [...access.tokens, { digest: digestOf(token), principal }] };
}

async function listen(make: () => Promise<FastifyInstance>, options: ServerOptions): Promise<{ app: FastifyInstance; url: string }> {
  for (let attempt = 0; ; attempt++) {
    const app = await make();
    try {
      const url = await app.listen({ host: options.host ?? "127.0.0.1", port: options.port === 0 ? 0 : options.port + attempt });
      return { app, url };
    } catch (error) {
      await app.close();
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt >= portsTried) throw error;
    }
  }
}
