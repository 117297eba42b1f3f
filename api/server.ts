/** The small HTTP server beside a running application: health, metrics and operators' reads. Routes are plugins, a file per group. */
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ApiError, problemOf, type Problem } from "./errors.ts";
import type { Inspector } from "./inspector.ts";
import { healthRoutes, type Health } from "./routes/health.ts";
import { inspectionRoutes } from "./routes/inspection.ts";

export interface ServerOptions {
  readonly inspector: Inspector;
  readonly health: Health;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** Hears of every failure of ours; the answer says nothing of it but `INTERNAL`. */
  readonly onFailure?: (error: unknown, request: string) => void;
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
/** Of a topic, store or key in a path. */
const pathPartCharactersMax = 1_024;

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

function build({ inspector, health, metrics, onFailure }: ServerOptions): FastifyInstance {
  const answer = (error: FastifyError | ApiError, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemFor(error);
    if (problem.code === "INTERNAL") onFailure?.(error, `${request.method} ${request.url}`);
    void reply.status(problem.status).type("application/problem+json").send(problem);
  };
  const app = fastify({
    routerOptions: { maxParamLength: pathPartCharactersMax },
    // Paths that cannot even be decoded.
    frameworkErrors: answer,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
  });
  app.setErrorHandler(answer);
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

/** Of a failure of ours nothing leaves the process: its message may name files, keys or values. */
function problemFor(error: FastifyError | ApiError): Problem {
  if (error instanceof ApiError) return problemOf(error.code, error.message);
  // The framework's own refusals: query, path, body.
  if (error.statusCode !== undefined && error.statusCode < 500) return problemOf("BAD_REQUEST", error.message);
  return problemOf("INTERNAL", "this request failed; the log of the server says why");
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
