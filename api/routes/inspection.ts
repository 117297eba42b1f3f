import type { FastifyInstance } from "fastify";
import { problems } from "../document/problems.ts";
import { ApiError } from "../errors.ts";
import { RANGE_ROWS_MAX, TAIL_RECORDS_MAX, type Inspector } from "../inspector.ts";

interface Params {
  readonly topic: string;
  readonly store: string;
  readonly key: string;
}

const wholeNumber = (most: number): object => ({ type: "integer", minimum: 0, maximum: most });
const config = { scope: "operator" } as const;
const route = (
  summary: string,
  properties?: Readonly<Record<string, object>>,
): { readonly config: typeof config; readonly schema: object } => ({
  config,
  schema: {
    summary,
    tags: ["operators"],
    ...(properties === undefined ? {} : { querystring: { type: "object", additionalProperties: false, properties } }),
    response: problems(400, 401, 403, 404, 429),
  },
});

/** Operators' reads, all of committed data: topics, stores, topology, lag. */
export function inspectionRoutes(app: FastifyInstance, { inspector }: { readonly inspector: Inspector }, done: () => void): void {
  app.get("/v1/topics", route("Topics with what they hold"), () => inspector.topics());
  app.get<{ Params: Params; Querystring: { partition?: number; last?: number } }>(
    "/v1/topics/:topic/records",
    route("The newest records of a topic, decoded", { partition: wholeNumber(1_000_000), last: wholeNumber(TAIL_RECORDS_MAX) }),
    ({ params, query: { partition, last } }) =>
      inspector.tail({ topic: params.topic, ...(partition === undefined ? {} : { partition }), ...(last === undefined ? {} : { last }) }),
  );
  app.get<{ Params: Params; Querystring: { from?: string; to?: string; limit?: number } }>(
    "/v1/stores/:store",
    route("Committed rows of a store", { from: { type: "string" }, to: { type: "string" }, limit: wholeNumber(RANGE_ROWS_MAX) }),
    ({ params, query: { from, to, limit } }) =>
      inspector.range({
        store: params.store,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(limit === undefined ? {} : { limit }),
      }),
  );
  app.get<{ Params: Params }>("/v1/stores/:store/:key", route("One committed row"), async ({ params }) => {
    const row = await inspector.get(params.store, params.key);
    if (row === undefined) throw new ApiError("KEY_NOT_FOUND", `store ${params.store} has no committed value under "${params.key}"`);
    return row;
  });
  app.get<{ Querystring: { format?: "text" | "mermaid" } }>(
    "/v1/topology",
    route("The topology as text or Mermaid", { format: { type: "string", enum: ["text", "mermaid"] } }),
    async ({ query: { format } }, reply) => reply.type("text/plain; charset=utf-8").send(await inspector.topology(format ?? "text")),
  );
  app.get("/v1/lag", route("How far each source was read"), () => inspector.lag());
  done();
}
