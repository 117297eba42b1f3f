import type { FastifyInstance } from "fastify";
import { ApiError } from "../errors.ts";
import { RANGE_ROWS_MAX, TAIL_RECORDS_MAX, type Inspector } from "../inspector.ts";

interface Params {
  readonly topic: string;
  readonly store: string;
  readonly key: string;
}

const wholeNumber = (most: number): object => ({ type: "integer", minimum: 0, maximum: most });
const query = (properties: Readonly<Record<string, object>>): object => ({
  querystring: { type: "object", additionalProperties: false, properties },
});

/** Operators' reads, all of committed data: topics, stores, topology, lag. */
export function inspectionRoutes(app: FastifyInstance, { inspector }: { readonly inspector: Inspector }, done: () => void): void {
  app.get("/v1/topics", () => inspector.topics());
  app.get<{ Params: Params; Querystring: { partition?: number; last?: number } }>(
    "/v1/topics/:topic/records",
    { schema: query({ partition: wholeNumber(1_000_000), last: wholeNumber(TAIL_RECORDS_MAX) }) },
    ({ params, query: { partition, last } }) =>
      inspector.tail({ topic: params.topic, ...(partition === undefined ? {} : { partition }), ...(last === undefined ? {} : { last }) }),
  );
  app.get<{ Params: Params; Querystring: { from?: string; to?: string; limit?: number } }>(
    "/v1/stores/:store",
    { schema: query({ from: { type: "string" }, to: { type: "string" }, limit: wholeNumber(RANGE_ROWS_MAX) }) },
    ({ params, query: { from, to, limit } }) =>
      inspector.range({
        store: params.store,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(limit === undefined ? {} : { limit }),
      }),
  );
  app.get<{ Params: Params }>("/v1/stores/:store/:key", async ({ params }) => {
    const row = await inspector.get(params.store, params.key);
    if (row === undefined) throw new ApiError("KEY_NOT_FOUND", `store ${params.store} has no committed value under "${params.key}"`);
    return row;
  });
  app.get<{ Querystring: { format?: "text" | "mermaid" } }>(
    "/v1/topology",
    { schema: query({ format: { type: "string", enum: ["text", "mermaid"] } }) },
    async ({ query: { format } }, reply) => reply.type("text/plain; charset=utf-8").send(await inspector.topology(format ?? "text")),
  );
  app.get("/v1/lag", () => inspector.lag());
  done();
}
