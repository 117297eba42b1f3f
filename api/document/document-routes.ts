/** The API about itself: `/openapi.json`, pages at `/docs`, and what each code means at `/errors/CODE`. */
import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { ApiError } from "../errors.ts";
import { problems, problemSchema } from "./problems.ts";

const errorsPage = new URL("../../docs/errors.md", import.meta.url);
const answersPolicy = "default-src 'none'; frame-ancestors 'none'";
/** The pages run their own files alone. */
const pagesPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Before the routes that it describes. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  app.addSchema(problemSchema);
  await app.register(swagger, {
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => (typeof json["$id"] === "string" ? json["$id"] : `schema-${index}`),
    },
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Slackline dispatch",
        version: "1",
        description: "Write what happens, ask what was decided, follow it live. Every refusal is a problem with a stable code.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
      tags: [
        { name: "ingest", description: "What upstream writes" },
        { name: "queries", description: "Committed state, with its position and age in the headers" },
        { name: "streams", description: "Live, as Server-Sent Events" },
        { name: "operators", description: "Topics, stores, topology, lag" },
        { name: "health" },
      ],
    },
  });
  await app.register(swaggerUi, { routePrefix: "/docs", logo: [] as never, theme: { title: "Slackline" } });
  app.addHook("onSend", (request, reply, _payload, done) => {
    const isPage = request.routeOptions.url?.startsWith("/docs") === true;
    void reply.header("content-security-policy", isPage ? pagesPolicy : answersPolicy);
    done();
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
  app.get<{ Params: { code: string } }>(
    "/errors/:code",
    { schema: { tags: ["health"], summary: "Cause and remedy of a code", security: [], response: problems(404) } },
    async ({ params: { code } }) => {
      const found = rowsOf(await readFile(errorsPage, "utf8")).filter((row) => row.code === code);
      if (found.length === 0) throw new ApiError("KEY_NOT_FOUND", "there is no such code");
      return found;
    },
  );
}

interface CodeRow {
  readonly folder: string;
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

function rowsOf(page: string): readonly CodeRow[] {
  let folder = "";
  const rows: CodeRow[] = [];
  for (const line of page.split("\n")) {
    folder = /^## `(\w+)\/`/.exec(line)?.[1] ?? folder;
    const [, code, cause = "", remedy = ""] = /^\| `([A-Z][A-Z0-9_]+)` \|([^|]*)\|([^|]*)\|$/.exec(line) ?? [];
    if (code !== undefined) rows.push({ folder, code, cause: cause.trim(), remedy: remedy.trim() });
  }
  return rows;
}
