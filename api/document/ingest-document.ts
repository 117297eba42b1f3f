/** What the document of the API says of the routes that take events. */
import type { FastifySchema } from "fastify";
import { branchesOf } from "#schemas";
import { BATCH_EVENTS_MAX, type IngestKind } from "../ingest/ingest.ts";
import { defaultOf, kindRules } from "../ingest/read-event.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { problems } from "./problems.ts";

const summaries: Readonly<Record<IngestKind, string>> = {
  "driver-locations": "Positions of drivers",
  "driver-events": "What drivers do: shifts, acceptances, arrivals, pickups, drop-offs",
  orders: "Orders placed, their ready times changed, cancelled",
  rides: "Rides requested and cancelled",
};

const accepted = {
  description: "In the log. Whether they have an effect is decided later: refusals are recorded",
  content: {
    "application/json": {
      schema: {
        type: "object",
        properties: {
          accepted: { type: "integer" },
          records: {
            type: "array",
            items: {
              type: "object",
              properties: {
                eventId: { type: "string" },
                topic: { type: "string" },
                partition: { type: "integer" },
                offset: { type: "integer" },
              },
            },
          },
        },
      },
    },
  },
};

export function ingestDocument(kind: IngestKind): FastifySchema {
  const { schema } = kindRules[kind];
  const onlyKind = branchesOf(schema).length === 1;
  const event = jsonSchemaOf(schema, {
    optional: (record, field) => field === "eventId" || (field === "type" && onlyKind) || defaultOf(record, field) !== undefined,
  });
  return {
    summary: summaries[kind],
    description: `One event, or a list of at most ${BATCH_EVENTS_MAX}: all of it is taken, or nothing. Send it again with the same Idempotency-Key if the answer is lost.`,
    tags: ["ingest"],
    headers: {
      type: "object",
      properties: { "idempotency-key": { type: "string", description: "becomes the eventId, with .0, .1, … for the events of a list" } },
    },
    body: { anyOf: [event, { type: "array", items: event, minItems: 1, maxItems: BATCH_EVENTS_MAX }] },
    response: { 202: accepted, ...problems(400, 401, 403, 413, 415, 429, 503) },
  };
}
