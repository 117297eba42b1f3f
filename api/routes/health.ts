import type { FastifyInstance } from "fastify";
import { problemOf } from "../errors.ts";

export interface Readiness {
  readonly ready: boolean;
  /** Says what is missing and how far it is. */
  readonly reason: string;
}

export interface Health {
  ready(): Readiness;
}

/** `/livez`: the event loop turns. `/readyz`: all tasks run, 503 `NOT_READY` with the reason while not. `/metrics`: Prometheus. */
export function healthRoutes(
  app: FastifyInstance,
  { health, metrics }: { readonly health: Health; readonly metrics: () => Promise<string> },
  done: () => void,
): void {
  app.get("/livez", () => ({ live: true }));
  app.get("/readyz", (_request, reply) => {
    const readiness = health.ready();
    if (readiness.ready) return readiness;
    return reply
      .status(503)
      .type("application/problem+json")
      .send({ ...problemOf("NOT_READY", readiness.reason), ...readiness });
  });
  app.get("/metrics", async (_request, reply) => reply.type("text/plain; version=0.0.4").send(await metrics()));
  done();
}
