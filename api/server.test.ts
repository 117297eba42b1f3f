import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiError, type Problem } from "./errors.ts";
import type { Inspector } from "./inspector.ts";
import { remoteInspector } from "./remote-inspector.ts";
import { startServer, type RunningServer } from "./server.ts";
import { smallSystem, type SmallSystem } from "./testing/small-system.ts";

let system: SmallSystem;
let server: RunningServer;
let remote: Inspector;
const failures: [error: unknown, request: string][] = [];

const serve = (inspector: Inspector, port = 0): Promise<RunningServer> =>
  startServer({
    inspector,
    health: { ready: () => ({ ready: true, reason: "running" }) },
    metrics: () => Promise.resolve("# TYPE records counter\nrecords 3\n"),
    access: { kind: "open" },
    onFailure: (error, request) => failures.push([error, request]),
    port,
  });

async function problem(url: string): Promise<Problem & Readonly<Record<string, unknown>>> {
  const response = await fetch(url);
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  const body = (await response.json()) as Problem & Readonly<Record<string, unknown>>;
  expect(body.status).toBe(response.status);
  return body;
}

beforeAll(async () => {
  system = await smallSystem();
  server = await serve(system.inspector);
  remote = remoteInspector(server.url);
});
afterAll(async () => {
  await server.close();
  await system[Symbol.asyncDispose]();
});

describe("health", () => {
  test("a live process says so, and a ready one with its state", async () => {
    expect(await (await fetch(`${server.url}/livez`)).json()).toEqual({ live: true });
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reason: "running" }]);
  });

  test("a draining process is live and not ready", async () => {
    await using draining = await serve(system.inspector);
    draining.drain();
    expect((await fetch(`${draining.url}/livez`)).status).toBe(200);
    expect(await problem(`${draining.url}/readyz`)).toMatchObject({ status: 503, code: "NOT_READY", ready: false, reason: "draining" });
  });

  test("metrics are Prometheus text", async () => {
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await response.text()).toContain("records 3");
  });

  test("a port that is taken is passed over for the next one", async () => {
    const taken = Number(new URL(server.url).port);
    await using beside = await serve(system.inspector, taken);
    const port = Number(new URL(beside.url).port);
    expect(port).toBeGreaterThan(taken);
    expect(port).toBeLessThanOrEqual(taken + 20);
  });
});

describe("what another process asks over HTTP is what this one reads itself:", () => {
  test("topics with their partitions and records", async () => {
    const topics = await remote.topics();
    expect(topics).toEqual(await system.inspector.topics());
    expect(topics.find(({ name }) => name === "dispatch.orders.v1")).toMatchObject({ partitions: 2, records: 3 });
  });

  test("the newest records of a topic, decoded, as many as asked for", async () => {
    const options = { topic: "dispatch.orders.v1" };
    const all = await remote.tail(options);
    expect(all).toEqual(await system.inspector.tail(options));
    expect(new Set(all.map(({ key }) => key))).toEqual(new Set(["o1", "o2", "o3"]));
    expect(all[0]?.value).toMatchObject({ type: "OrderPlaced", priceMinor: 2_000 });
    const { partition = 0, offset } = all.at(-1) ?? {};
    const last = await remote.tail({ ...options, partition, last: 1 });
    expect(last.map((record) => [record.partition, record.offset])).toEqual([[partition, offset]]);
    expect(await remote.tail({ ...options, last: 0 })).toEqual([]);
  });

  test("one value, and none where none is", async () => {
    const row = await remote.get("jobs", "o1");
    expect(row).toEqual(await system.inspector.get("jobs", "o1"));
    expect(row?.key).toBe("o1");
    expect(await remote.get("jobs", "nobody/at all?")).toBeUndefined();
    expect(await problem(`${server.url}/v1/stores/jobs/nobody`)).toMatchObject({ status: 404, code: "KEY_NOT_FOUND" });
  });

  test("a range of values, from inclusive, to exclusive, up to the limit", async () => {
    const range = { store: "jobs", from: "o1", to: "o3" };
    const rows = await remote.range(range);
    expect(rows).toEqual(await system.inspector.range(range));
    expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(["o1", "o2"]));
    expect(await remote.range({ store: "jobs", limit: 1 })).toHaveLength(1);
  });

  test("the topology as text and as Mermaid", async () => {
    for (const format of ["text", "mermaid"] as const) expect(await remote.topology(format)).toBe(await system.inspector.topology(format));
    expect(await remote.topology("mermaid")).toMatch(/^flowchart/);
    expect(await remote.topology("text")).toContain("dispatch.orders.v1");
  });

  test("how far each source was read", async () => {
    const lag = await remote.lag();
    expect(lag).toEqual(await system.inspector.lag());
    expect(lag.filter(({ topic }) => topic === "dispatch.orders.v1").map(({ records }) => records)).toEqual([0, 0]);
  });

  test("every store of the topology can be read", async () => {
    const text = await remote.topology("text");
    expect(text).toContain("jobs");
    for (const store of storesNamedBy(await failing(() => remote.get("none", "x")))) {
      const here: unknown = JSON.parse(JSON.stringify(await system.inspector.range({ store })));
      expect(await remote.range({ store })).toEqual(here);
    }
  });

  test("a record that cannot be decoded is shown as bytes", async () => {
    await using spoilt = await smallSystem();
    await using beside = await serve(spoilt.inspector);
    await spoilt.spoil();
    const records = await remoteInspector(beside.url).tail({ topic: "dispatch.orders.v1", partition: 0, last: 1 });
    expect(records).toMatchObject([{ key: "o9", value: { undecodable: "010203" } }]);
  });

  test("nobody at the address, and somebody else at the address", async () => {
    const stranger = createServer((_, response) => response.writeHead(403).end("go away"));
    await new Promise<void>((done) => stranger.listen(0, "127.0.0.1", done));
    const address = stranger.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    expect(await failing(() => remoteInspector(url).lag())).toMatchObject({ code: "INSTANCE_UNREACHABLE" });
    await new Promise((done) => stranger.close(done));
    expect(await failing(() => remoteInspector(url).lag())).toMatchObject({ code: "INSTANCE_UNREACHABLE" });
  });

  test("the same refusals, with the same code and words", async () => {
    const questions: readonly ((inspector: Inspector) => Promise<unknown>)[] = [
      (inspector) => inspector.tail({ topic: "nowhere" }),
      (inspector) => inspector.tail({ topic: "dispatch.orders.v1", partition: 2 }),
      (inspector) => inspector.get("nowhere", "o1"),
      (inspector) => inspector.range({ store: "nowhere" }),
    ];
    for (const question of questions) {
      const here = await failing(() => question(system.inspector));
      const there = await failing(() => question(remote));
      expect([there.code, there.message]).toEqual([here.code, here.message]);
    }
  });
});

describe("an error is a problem with a stable code:", () => {
  test.each([
    ["a topic that is not there", "/v1/topics/nowhere/records", 404, "TOPIC_NOT_FOUND"],
    ["a partition that is not there", "/v1/topics/dispatch.orders.v1/records?partition=2", 400, "BAD_REQUEST"],
    ["a partition that is no number", "/v1/topics/dispatch.orders.v1/records?partition=first", 400, "BAD_REQUEST"],
    ["a negative count", "/v1/topics/dispatch.orders.v1/records?last=-1", 400, "BAD_REQUEST"],
    ["a count above the limit", "/v1/topics/dispatch.orders.v1/records?last=1001", 400, "BAD_REQUEST"],
    ["a store that is not there", "/v1/stores/nowhere", 404, "STORE_NOT_FOUND"],
    ["a limit above the limit", "/v1/stores/jobs?limit=1001", 400, "BAD_REQUEST"],
    ["a key in a store that is not there", "/v1/stores/nowhere/o1", 404, "STORE_NOT_FOUND"],
    ["a format that nobody draws", "/v1/topology?format=png", 400, "BAD_REQUEST"],
    ["a path that cannot be decoded", "/v1/stores/%zz", 400, "BAD_REQUEST"],
    ["a key that is too long", `/v1/stores/jobs/${"x".repeat(2_000)}`, 400, "BAD_REQUEST"],
    ["a route that is not there", "/v1/nothing", 404, "ROUTE_NOT_FOUND"],
  ])("%s", async (_, path, status, code) => {
    const body = await problem(server.url + path);
    expect(body).toMatchObject({ status, code });
    expect(body.detail.length).toBeGreaterThan(10);
    expect(JSON.stringify(body)).not.toMatch(/\.ts\b|node_modules|\bat .*\(/);
  });

  test("what is asked for beyond the limits is refused without a server too", async () => {
    for (const question of [
      () => system.inspector.tail({ topic: "dispatch.orders.v1", last: 1_001 }),
      () => system.inspector.range({ store: "jobs", limit: 1_001 }),
    ])
      expect((await failing(question)).code).toBe("BAD_REQUEST");
  });

  test("a failure of ours tells the log everything and the client nothing", async () => {
    const secret = new Error("cannot read rows of customer 4711");
    await using broken = await serve({ ...system.inspector, lag: () => Promise.reject(secret) });
    failures.length = 0;
    const body = await problem(`${broken.url}/v1/lag`);
    expect(body).toMatchObject({ status: 500, code: "INTERNAL" });
    expect(JSON.stringify(body)).not.toMatch(/4711|stack|\.ts\b/);
    expect(failures).toEqual([[secret, "GET /v1/lag"]]);
  });
});

async function failing(work: () => Promise<unknown>): Promise<ApiError> {
  const error = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError; // checked in the line before
}

function storesNamedBy({ message }: ApiError): readonly string[] {
  const names = message.slice(message.indexOf("there are: ") + "there are: ".length).split(", ");
  expect(names.length).toBeGreaterThan(3);
  return names;
}
