import { connect } from "node:net";
import fastify from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kitchen, ServedSystem, type ServedSystemOptions } from "../testing/served-system.ts";
import { answerErrors } from "./answer-errors.ts";
import { guardRoutes } from "./guard.ts";
import { parseTokens, type Scope } from "./tokens.ts";

const tokenOf = (name: string): string => `the-token-of-${name}`;
const bearer = (name: string) => ({ authorization: `Bearer ${tokenOf(name)}` });
const token = (name: string, scopes: readonly Scope[], own: object = {}) => ({ name, token: tokenOf(name), scopes, ...own });
const guarded = (more: Omit<ServedSystemOptions, "access"> = {}): Promise<ServedSystem> =>
  ServedSystem.open({
    access: {
      kind: "tokens",
      tokens: parseTokens(
        JSON.stringify([
          token("upstream", ["ingest"]),
          token("reader", ["query"]),
          token("operator", ["operator"]),
          token("courier", ["query", "ingest"], { drivers: ["d1"], jobs: [] }),
        ]),
        "test",
      ),
    },
    ...more,
  });

let system: ServedSystem;
beforeAll(async () => {
  system = await guarded();
  await system.post("/v1/driver-events", { type: "ShiftStarted", driverId: "d1", position: kitchen, vehicle: "car" }, bearer("upstream"));
  await system.post("/v1/driver-events", { type: "ShiftStarted", driverId: "d2", position: kitchen, vehicle: "car" }, bearer("upstream"));
  await system.advance(1_000);
});
afterAll(() => system[Symbol.asyncDispose]());

const never = (): Promise<never> => Promise.reject(new Error("not asked"));
const nearby = "/v1/nearby-drivers?latitude=47.37&longitude=8.54";
const routes: readonly (readonly [string, Scope])[] = [
  ["/v1/drivers/d1", "query"],
  [nearby, "query"],
  ["/v1/jobs/o1", "query"],
  ["/v1/jobs/o1/assignment", "query"],
  ["/v1/jobs/o1/stream", "query"],
  ["/v1/cells/851f9bcffffffff/queue", "query"],
  ["/v1/cells/851f9bcffffffff/stream", "query"],
  ["/v1/stats", "query"],
  ["/v1/topics", "operator"],
  ["/v1/topics/dispatch.orders.v1/records", "operator"],
  ["/v1/stores/jobs", "operator"],
  ["/v1/stores/jobs/o1", "operator"],
  ["/v1/topology", "operator"],
  ["/v1/lag", "operator"],
];

describe("tokens", () => {
  test.each(routes)("%s asks for a token of its scope", async (path, scope) => {
    expect((await system.get(path)).body).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
    for (const wrong of ["Bearer nobody's-token-at-all", "Basic dXNlcg==", `bearer${tokenOf("reader")}`, "Bearer "])
      expect((await system.get(path, { authorization: wrong })).status).toBe(401);
    expect((await system.get(path, bearer("upstream"))).body).toMatchObject({ status: 403, code: "FORBIDDEN" });
    if (scope === "operator") expect((await system.get(path, bearer("reader"))).status).toBe(403);
  });

  test("writing asks for a token of its own, and an operator's is none", async () => {
    const location = { driverId: "d1", position: kitchen };
    expect((await system.post("/v1/driver-locations", location)).status).toBe(401);
    for (const name of ["reader", "operator"]) expect((await system.post("/v1/driver-locations", location, bearer(name))).status).toBe(403);
    expect((await system.post("/v1/driver-locations", location, bearer("upstream"))).status).toBe(202);
  });

  test("health, metrics and the document of the API need none, and tell nothing of anybody", async () => {
    for (const path of ["/livez", "/readyz", "/openapi.json", "/errors/FORBIDDEN"]) {
      const { status, body } = await system.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(JSON.stringify(body)).not.toMatch(/\bd1\b/);
    }
    for (const path of ["/metrics", "/docs"]) expect((await fetch(system.server.url + path)).status).toBe(200);
  });

  test("who may see only his own gets the same refusal for what exists and what does not", async () => {
    expect((await system.get("/v1/drivers/d1", bearer("courier"))).body).toMatchObject({ driverId: "d1", duty: "on" });
    const [existing, missing] = [
      await system.get("/v1/drivers/d2", bearer("courier")),
      await system.get("/v1/drivers/d99", bearer("courier")),
    ];
    expect(existing.body).toMatchObject({ status: 403, code: "FORBIDDEN" });
    expect(missing.body).toEqual(existing.body);
    for (const path of [nearby, "/v1/stats", "/v1/jobs/o1/stream", "/v1/cells/851f9bcffffffff/stream"])
      expect([path, (await system.get(path, bearer("courier"))).body]).toEqual([path, existing.body]);
    expect((await system.get("/v1/drivers/d99", bearer("reader"))).status).toBe(404);
  });

  test("who may write about himself may not write about others", async () => {
    expect((await system.post("/v1/driver-locations", { driverId: "d1", position: kitchen }, bearer("courier"))).status).toBe(202);
    const both = [
      { driverId: "d1", position: kitchen },
      { driverId: "d2", position: kitchen },
    ];
    expect((await system.post("/v1/driver-locations", both, bearer("courier"))).body).toMatchObject({ code: "FORBIDDEN" });
  });

  test("a command of this host has an operator's token for this start", async () => {
    const { operatorToken } = system.server;
    expect((await system.get("/v1/lag", { authorization: `Bearer ${operatorToken}` })).status).toBe(200);
    await using other = await guarded();
    expect((await other.get("/v1/lag", { authorization: `Bearer ${operatorToken}` })).status).toBe(401);
  });
});

describe("limits", () => {
  test("a principal that sends too much waits, and others do not", async () => {
    await using limited = await guarded({ server: { requestsPerSecondMax: 2 } });
    const answers = await Promise.all(Array.from({ length: 60 }, () => limited.get("/v1/stats", bearer("reader"))));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused[0]?.body).toMatchObject({ code: "RATE_LIMITED" });
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await limited.get("/v1/lag", bearer("operator"))).status).toBe(200);
  });

  test("a route takes no more at once than it may, and is free again afterwards", async () => {
    const released = Promise.withResolvers<void>();
    const stats = async () => {
      await released.promise;
      return { value: { since: 0, hours: [] }, freshness: { positions: [], staleMs: 0 } };
    };
    const queries = { driver: never, nearby: never, job: never, assignment: never, queue: never, stats };
    await using slow = await ServedSystem.open({ server: { services: { queries } } });
    const refused: unknown[] = [];
    const asked = Array.from({ length: 300 }, async () => {
      const { status, body } = await slow.get("/v1/stats");
      if (status === 503 && refused.push(body) === 44) released.resolve();
      return status;
    });
    const statuses = await Promise.all(asked);
    expect(statuses.filter((status) => status === 200)).toHaveLength(256);
    for (const body of refused) expect(body).toMatchObject({ status: 503, code: "OVERLOADED", reason: "IN_FLIGHT" });
    expect((await slow.get("/v1/stats")).status).toBe(200);
  });

  test("a stream that its client has left counts no longer", async () => {
    const app = fastify({ forceCloseConnections: true });
    app.setErrorHandler(answerErrors(undefined));
    await guardRoutes(app, { access: { kind: "open" } });
    app.get("/endless", { config: { inFlightMax: 1 } }, (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200).write("x");
    });
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    for (const _ of [1, 2, 3]) {
      const abort = new AbortController();
      const open = async (): Promise<number> => (await fetch(`${url}/endless`, { signal: abort.signal })).status;
      await expect.poll(open, { timeout: 5_000 }).toBe(200);
      expect((await fetch(`${url}/endless`)).status).toBe(503);
      abort.abort();
    }
    await app.close();
  });

  test("a head that never ends is given up", async () => {
    const socket = connect(Number(new URL(system.server.url).port), "127.0.0.1");
    socket.write(`GET /livez HTTP/1.1\r\nX-Long: ${"x".repeat(100_000)}`);
    const answer = await new Promise<string>((resolve) => socket.once("data", (chunk: Buffer) => resolve(chunk.toString())));
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
    socket.destroy();
  });

  test("answers carry what keeps browsers from misusing them", async () => {
    const { headers } = await system.get("/livez");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  });
});
