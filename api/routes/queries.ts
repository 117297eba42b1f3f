import type { FastifyInstance, FastifyReply } from "fastify";
import { forbidden } from "../access/guard.ts";
import { mayConcern } from "../access/tokens.ts";
import { problems } from "../document/problems.ts";
import {
  NEARBY_DRIVERS_MAX,
  NEARBY_METRES_MAX,
  QUEUE_JOBS_MAX,
  type Answer,
  type Freshness,
  type NearbyQuery,
  type Queries,
  type StatsQuery,
} from "../queries/queries.ts";
import { cellParameter, idParameter, knownCell } from "./parameters.ts";

interface Ids {
  readonly driverId: string;
  readonly jobId: string;
  readonly cell: string;
}

const headers = {
  "slackline-position": { type: "string", description: "topic/partition@offset, …: the answer is at least as new" },
  "slackline-standby-lag": { type: "integer", description: "records behind: the answer is a standby's, since nobody else has this now" },
  "slackline-stale-ms": { type: "integer", description: "how far behind the clock the newest processed input is; 0 when none waits" },
};
const answers = (description: string, ...statuses: readonly number[]): object => ({
  200: { description, headers, content: { "application/json": { schema: { type: "object" } } } },
  ...problems(...statuses, 401, 403, 429, 503),
});
const config = { scope: "query" } as const;
const wholeFrom = (minimum: number, maximum: number, fallback: number): object => ({
  type: "integer",
  minimum,
  maximum,
  default: fallback,
});
const document = (summary: string, parts: object): object => ({ summary, tags: ["queries"], ...parts });
const params = (name: string, schema: object): object => ({ type: "object", properties: { [name]: schema }, required: [name] });
const degrees = (most: number): object => ({ type: "number", minimum: -most, maximum: most });
const aboutJob = (summary: string): object =>
  document(summary, { params: params("jobId", idParameter), response: answers("The job", 400, 404) });
const NEARBY_DEFAULT = 20;
const QUEUE_DEFAULT = 50;

/** Questions about drivers, jobs and cells, answered from committed state with its position and age. */
export function queryRoutes(app: FastifyInstance, { queries }: { readonly queries: Queries }, done: () => void): void {
  app.get<{ Params: Ids }>(
    "/v1/drivers/:driverId",
    {
      config,
      schema: document("A driver: duty, position, plan with expected times", {
        params: params("driverId", idParameter),
        response: answers("The driver", 400, 404),
      }),
    },
    async ({ params: { driverId }, principal }, reply) => {
      if (!mayConcern(principal, "drivers", driverId)) throw forbidden();
      return answer(reply, await queries.driver(driverId));
    },
  );
  nearbyRoute(app, queries);
  jobRoutes(app, queries);
  cellRoutes(app, queries);
  done();
}

function nearbyRoute(app: FastifyInstance, queries: Queries): void {
  app.get<{ Querystring: NearbyQuery }>(
    "/v1/nearby-drivers",
    {
      config,
      schema: document("Drivers on duty around a point, by distance", {
        querystring: {
          type: "object",
          additionalProperties: false,
          required: ["latitude", "longitude"],
          properties: {
            latitude: degrees(90),
            longitude: degrees(180),
            radiusMetres: wholeFrom(1, NEARBY_METRES_MAX, NEARBY_METRES_MAX),
            limit: wholeFrom(1, NEARBY_DRIVERS_MAX, NEARBY_DEFAULT),
          },
        },
        response: answers("Drivers, the nearest first", 400),
      }),
    },
    async ({ query, principal }, reply) => {
      if (principal.own !== undefined) throw forbidden();
      return answer(reply, await queries.nearby(query));
    },
  );
}

function jobRoutes(app: FastifyInstance, queries: Queries): void {
  app.get<{ Params: Ids }>(
    "/v1/jobs/:jobId",
    { config, schema: aboutJob("A job with its whole story: trips, assignments, why each driver, refusals, bill") },
    async ({ params: { jobId }, principal }, reply) => {
      if (!mayConcern(principal, "jobs", jobId)) throw forbidden();
      return answer(reply, await queries.job(jobId));
    },
  );
  app.get<{ Params: Ids }>(
    "/v1/jobs/:jobId/assignment",
    { config, schema: aboutJob("Who has the job now, and by what proposal") },
    async ({ params: { jobId }, principal }, reply) => {
      if (!mayConcern(principal, "jobs", jobId)) throw forbidden();
      return answer(reply, await queries.assignment(jobId));
    },
  );
}

function cellRoutes(app: FastifyInstance, queries: Queries): void {
  app.get<{ Params: Ids; Querystring: { readonly limit: number } }>(
    "/v1/cells/:cell/queue",
    {
      config,
      schema: document("The jobs that wait in a dispatch cell, the least slack first", {
        params: params("cell", cellParameter),
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { limit: wholeFrom(1, QUEUE_JOBS_MAX, QUEUE_DEFAULT) },
        },
        response: answers("The queue", 400),
      }),
    },
    async ({ params: { cell }, query: { limit }, principal }, reply) => {
      if (principal.own !== undefined) throw forbidden();
      return answer(reply, await queries.queue(knownCell(cell), limit));
    },
  );
  const time = { type: "integer", minimum: 0, description: "milliseconds since the epoch, UTC" };
  app.get<{ Querystring: StatsQuery }>(
    "/v1/stats",
    {
      config,
      schema: document("What happened, by hour and cell of resolution 7, over the last two days", {
        querystring: { type: "object", additionalProperties: false, properties: { from: time, to: time, cell: cellParameter } },
        response: answers("Counts and mean times", 400),
      }),
    },
    async ({ query, principal }, reply) => {
      if (principal.own !== undefined) throw forbidden();
      if (query.cell !== undefined) knownCell(query.cell);
      return answer(reply, await queries.stats(query));
    },
  );
}

function answer<T>(reply: FastifyReply, { value, freshness }: Answer<T>): T {
  void reply.header("slackline-position", positionText(freshness));
  if (freshness.staleMs !== undefined) void reply.header("slackline-stale-ms", String(freshness.staleMs));
  if (freshness.standbyLagRecords !== undefined) void reply.header("slackline-standby-lag", String(freshness.standbyLagRecords));
  void reply.header("cache-control", "no-store");
  return value;
}

function positionText({ positions }: Freshness): string {
  return positions.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`).join(", ");
}
