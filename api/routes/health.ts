import type { FastifyInstance } from "fastify";
import { problems } from "../document/problems.ts";
import { problemOf } from "../errors.ts";

export interface Readiness {
  readonly ready: boolean;
  /** Says what is missing and how far it is. */
  readonly reason: string;
  /** Each thing that is missing. */
  readonly missing?: readonly MissingPart[];
}

export interface MissingPart {
  /** For people: a task, a store, the lag. */
  readonly what: string;
  /** How far it is, in records or other units, where that is known. */
  readonly done?: number;
  readonly total?: number;
}

const health = (summary: string, more: object = {}): object => ({ schema: { summary, tags: ["health"], security: [], ...more } });

export interface Health {
  ready(): Readiness;
}

/** `/livez`: the event loop turns. `/readyz`: all tasks run, 503 `NOT_READY` with the reason while not. `/metrics`: Prometheus. */
export function healthRoutes(
  app: FastifyInstance,
  { health: state, metrics }: { readonly health: Health; readonly metrics: () => Promise<string> },
  done: () => void,
): void {
  app.get("/livez", health("The event loop turns"), () => ({ live: true }));
  app.get("/readyz", health("All tasks run; else what is missing and how far it is", { response: problems(503) }), (_request, reply) => {
    const readiness = state.ready();
    if (readiness.ready) return readiness;
    return reply
      .status(503)
      .type("application/problem+json")
      .send({ ...problemOf("NOT_READY", readiness.reason), ...readiness });
  });
  app.get("/metrics", health("Prometheus text"), async (_request, reply) => reply.type("text/plain; version=0.0.4").send(await metrics()));
  done();
}
