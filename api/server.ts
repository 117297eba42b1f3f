/** The small HTTP server beside a running application: health, metrics and operators' reads. Routes are plugins, a file per group. */
import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { ApiError, problemOf, statusOf } from "./errors.ts";
import type { Inspector } from "./inspector.ts";
import { healthRoutes, type Health } from "./routes/health.ts";
import { inspectionRoutes } from "./routes/inspection.ts";

export interface ServerOptions {
  readonly inspector: Inspector;
  readonly health: Health;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Tried first; the next ones, up to 20, if it is taken. 0 takes any. */
  readonly port: number;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /** Answers `/readyz` with 503 from now on. */
  drain(): void;
  close(): Promise<void>;
}

const portsTried = 20;
const requestTimeoutMs = 10_000;
const bodyBytesMax = 64 * 1024;

/** Throws the operating system's error when no port of the range is free. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let draining = false;
  const health: Health = { ready: () => (draining ? { ready: false, reason: "draining" } : options.health.ready()) };
  const { app, url } = await listen(() => build({ ...options, health }), options);
  const close = async (): Promise<void> => {
    draining = true;
    await app.close();
  };
  return {
    url,
    drain() {
      draining = true;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function build({ inspector, health, metrics }: ServerOptions): FastifyInstance {
  const app = fastify({
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
  });
  app.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    const code = error instanceof ApiError ? error.code : error.validation !== undefined ? "BAD_REQUEST" : "INTERNAL";
    void reply.status(statusOf(code)).type("application/problem+json").send(problemOf(code, error.message));
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .status(404)
      .type("application/problem+json")
      .send(problemOf("ROUTE_NOT_FOUND", `${request.method} ${request.url} is not served here`));
  });
  void app.register(healthRoutes, { health, metrics });
  void app.register(inspectionRoutes, { inspector });
  return app;
}

async function listen(make: () => FastifyInstance, options: ServerOptions): Promise<{ app: FastifyInstance; url: string }> {
  for (let attempt = 0; ; attempt++) {
    const app = make();
    try {
      const url = await app.listen({ host: options.host ?? "127.0.0.1", port: options.port === 0 ? 0 : options.port + attempt });
      return { app, url };
    } catch (error) {
      await app.close();
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt >= portsTried) throw error;
    }
  }
}
