import type { FastifyInstance, FastifyRequest } from "fastify";
import { mayConcern } from "../access/tokens.ts";
import { ApiError } from "../errors.ts";
import type { Ingest, IngestKind } from "../ingest/ingest.ts";
import { ingestDocument } from "../document/ingest-document.ts";

const kinds: readonly IngestKind[] = ["driver-locations", "driver-events", "orders", "rides"];
const IN_FLIGHT_MAX = 1_024;
const idempotencyKeyForm = /^[\x21-\x7e]{1,120}$/;

/** What upstream writes: 202 with the place of each record, as soon as the log has it. */
export function ingestRoutes(app: FastifyInstance, { ingest }: { readonly ingest: Ingest }, done: () => void): void {
  for (const kind of kinds) {
    app.post(
      `/v1/${kind}`,
      { config: { scope: "ingest", inFlightMax: IN_FLIGHT_MAX }, schema: ingestDocument(kind), validatorCompiler: () => () => true },
      async (request, reply) => {
        const { principal, body } = request;
        const idempotencyKey = idempotencyKeyOf(request);
        const records = await ingest.accept({
          kind,
          body,
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
          mayConcern: (entity, id) => mayConcern(principal, entity, id),
        });
        return reply.status(202).send({ accepted: records.length, records });
      },
    );
  }
  done();
}

function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key === "string" && idempotencyKeyForm.test(key)) return key;
  throw new ApiError("BAD_REQUEST", "Idempotency-Key must be 1 to 120 visible ASCII characters");
}
