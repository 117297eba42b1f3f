/** Instances that ask one another over real connections: each over the same committed rows, each told that it has only some of them. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Placements, type InstanceStatus, type TaskOwners, type ThreadMetrics, type Topology } from "#streams";
import { memoryRegistry } from "#schemas";
import { buildDispatch } from "#topologies";
import { dispatchServices, type DispatchServices } from "../dispatch-services.ts";
import { localInspector } from "../local-inspector.ts";
import { parseTokens } from "../access/tokens.ts";
import { startServer, type RunningServer } from "../server.ts";
import { kitchen, ServedSystem } from "../testing/served-system.ts";
import { acrossInstances, type AcrossInstances, type AcrossInstancesOptions } from "./across-instances.ts";
import { instanceOwnership } from "./instance-ownership.ts";

const PARTITIONS = 4;
const DRIVERS = ["d1", "d2", "d3", "d4", "d5", "d6"];
const SECRETS = { instance: "a-secret-of-instances", query: "a-secret-of-askers" };
const access = {
  kind: "tokens",
  tokens: parseTokens(
    JSON.stringify([
      { name: "peer", token: SECRETS.instance, scopes: ["instance"] },
      { name: "asker", token: SECRETS.query, scopes: ["query"] },
    ]),
    "test",
  ),
} as const;

type Owner = "a" | "b" | "nobody";

function fail(error: unknown): never {
  throw error;
}

/** One instance: a server that has what `status` says. */
class Instance {
  readonly name: string;
  readonly server: RunningServer;
  readonly #services: DispatchServices;
  readonly #across: AcrossInstances;

  constructor(name: string, parts: { server: RunningServer; services: DispatchServices; across: AcrossInstances }) {
    this.name = name;
    this.server = parts.server;
    this.#services = parts.services;
    this.#across = parts.across;
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}) {
    const begun = performance.now();
    const response = await fetch(this.server.url + path, {
      headers: { authorization: `Bearer ${SECRETS.query}`, ...headers },
      redirect: "manual",
    });
    const body = (await response.json()) as Record<string, unknown>; // every answer of ours is an object
    return { status: response.status, body, headers: response.headers, ms: performance.now() - begun };
  }

  async close(): Promise<void> {
    await this.server.close();
    this.#across.close();
    await this.#services[Symbol.asyncDispose]();
  }
}

/** Two instances; tests change who has what, and where they are said to be. */
class World {
  readonly system: ServedSystem;
  readonly topology: Topology;
  readonly owner = new Map<number, Owner>();
  readonly standby = new Map<number, "a" | "b">();
  readonly restoring = new Set<number>();
  /** Where b is said to answer. */
  bAt: { host: string; port: number } | undefined;
  instances: Instance[] = [];
  lagOfA = 17;

  constructor(system: ServedSystem) {
    this.system = system;
    this.topology = buildDispatch({ registry: memoryRegistry(), partitions: PARTITIONS });
    for (let partition = 0; partition < PARTITIONS; partition++) this.owner.set(partition, partition % 2 === 0 ? "a" : "b");
  }

  status(instanceId: string): InstanceStatus {
    const endpoint = (name: string) => ({ host: "127.0.0.1", port: this.instances.find((each) => each.name === name)?.port ?? 1 });
    const tasks = this.topology.subtopologies.flatMap(({ index, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ subtopology: index, partition })),
    );
    const index = { a: 0, b: 1, nobody: undefined };
    const owners: TaskOwners = {
      instances: [
        { instanceId: "a", endpoint: endpoint("a") },
        { instanceId: "b", endpoint: this.bAt ?? endpoint("b") },
      ],
      tasks: tasks.map((task) => {
        const follower = this.standby.get(task.partition);
        return {
          ...task,
          active: index[this.owner.get(task.partition) ?? "nobody"],
          standbys: follower === undefined ? [] : [index[follower]],
        };
      }),
    };
    const mine = tasks.filter(({ partition }) => this.owner.get(partition) === instanceId);
    return {
      epoch: 1,
      instanceId,
      generation: 1,
      owners,
      running: mine.filter(({ partition }) => !this.restoring.has(partition)),
      restoring: mine.filter(({ partition }) => this.restoring.has(partition)),
    };
  }

  async open(name: "a" | "b", more: Partial<AcrossInstancesOptions> = {}): Promise<Instance> {
    const { system, topology } = this;
    const placements = new Placements({ topology, status: () => this.status(name) });
    const common = { log: system.log, view: system.view, topics: system.topics };
    const services = await dispatchServices({
      ...common,
      now: () => system.now,
      ownership: instanceOwnership(placements),
      onFailure: fail,
    });
    const across = acrossInstances({
      services,
      placements,
      topics: system.topics,
      peers: ["127.0.0.1:*"],
      token: SECRETS.instance,
      metrics: () => Promise.resolve([this.#metrics()]),
      deadlineMs: 1_500,
      ...more,
    });
    const server = await startServer({
      inspector: localInspector({ ...common, topology, group: "served" }),
      health: { ready: () => ({ ready: true, reason: "running" }) },
      metrics: () => Promise.resolve(""),
      access,
      services: across,
      onFailure: fail,
      port: 0,
    });
    const instance = new Instance(name, { server, services, across });
    this.instances.push(instance);
    return instance;
  }

  /** A driver of a partition with this owner, or of a partition with a standby, as `wanted` says. */
  driverIn(wanted: (partition: number) => boolean): string {
    const found = DRIVERS.find((id) => wanted(this.partitionOf(id)));
    if (found === undefined) throw new Error("there is no such driver");
    return found;
  }

  partitionOf(driverId: string): number {
    return this.system.view.get("driver-plans", driverId)?.partition ?? -1;
  }

  async close(): Promise<void> {
    for (const instance of this.instances) await instance.close();
  }

  /** Every task that is followed here is behind by so many records. */
  #metrics(): ThreadMetrics {
    const following = this.topology.subtopologies.flatMap(({ index, partitions, stores }) =>
      Array.from({ length: partitions }, (_, partition) => ({
        task: { subtopology: index, partition },
        role: "standby" as const,
        changelogs: stores.map(({ name }) => ({ topic: name, store: name, partition, position: 0, end: this.lagOfA })),
        done: 0,
        total: this.lagOfA,
        recordsPerSecond: 0,
        msLeft: 0,
      })),
    );
    const none = { recordsProcessed: 0, recordsForwarded: 0, deadLetters: 0, commits: 0, aborts: 0, bufferedRecords: 0, lag: [] };
    return { ...none, following };
  }
}

let system: ServedSystem;
let world: World;
const strangers: Server[] = [];

beforeAll(async () => {
  system = await ServedSystem.open({ partitions: PARTITIONS });
  for (const driverId of DRIVERS) await system.startShift(driverId);
  await system.advance(2_000);
});

afterAll(() => system[Symbol.asyncDispose]());

beforeEach(() => {
  world = new World(system);
});

afterEach(async () => {
  await world.close();
  await Promise.all(
    strangers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

/** Something else where b is said to be. */
async function stranger(
  answer: Parameters<typeof createServer>[1],
): Promise<{ readonly seen: IncomingHttpHeaders[]; readonly port: number }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    answer?.(request, response);
  });
  strangers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  world.bAt = { host: "127.0.0.1", port };
  return { seen, port };
}

function idsOf({ body }: { readonly body: Record<string, unknown> }): string[] {
  return (body["drivers"] as { driverId: string }[]).map(({ driverId }) => driverId).sort();
}

function pathOf(argument: unknown): string {
  return `/instance/v1/answers?question=driver&argument=${encodeURIComponent(JSON.stringify(argument))}`;
}

const ofB = (): string => world.driverIn((partition) => world.owner.get(partition) === "b");

describe("a question about a key", () => {
  test("is answered here, or by the instance that has it, one hop away, with the same answer", async () => {
    const a = await world.open("a");
    const b = await world.open("b");
    for (const driverId of DRIVERS) {
      const [fromA, fromB] = [await a.get(`/v1/drivers/${driverId}`), await b.get(`/v1/drivers/${driverId}`)];
      expect([fromA.status, fromB.status]).toEqual([200, 200]);
      expect(fromA.body).toEqual(fromB.body);
      expect(fromA.headers.get("slackline-position")).toBe(fromB.headers.get("slackline-position"));
    }
    const missing = await a.get("/v1/drivers/nobody");
    expect(missing).toMatchObject({ status: 404, body: { code: "KEY_NOT_FOUND" } });
  });

  test("of an instance that is gone: 503 REBALANCING with a time to retry, never 404 or an empty 200", async () => {
    const a = await world.open("a");
    world.bAt = { host: "127.0.0.1", port: 1 };
    const { status, body, headers } = await a.get(`/v1/drivers/${ofB()}`);
    expect({ status, body }).toMatchObject({ status: 503, body: { code: "NOT_READY", reason: "REBALANCING", retryAfterMs: 500 } });
    expect(headers.get("retry-after")).toBe("1");
  });

  test("while its partition changes hands, and while it is restored here or there: 503 with the reason", async () => {
    const a = await world.open("a");
    const b = await world.open("b");
    const driverId = ofB();
    const partition = world.partitionOf(driverId);
    world.restoring.add(partition);
    expect(await b.get(`/v1/drivers/${driverId}`)).toMatchObject({ status: 503, body: { reason: "RESTORING" } });
    expect(await a.get(`/v1/drivers/${driverId}`)).toMatchObject({ status: 503, body: { reason: "RESTORING" } });
    world.restoring.clear();
    world.owner.set(partition, "nobody");
    const { status, body, headers } = await a.get(`/v1/drivers/${driverId}`);
    expect({ status, body }).toMatchObject({ status: 503, body: { reason: "REBALANCING", retryAfterMs: 500 } });
    expect(headers.get("retry-after")).toBe("1");
  });

  test("a standby answers while the owner does not, here or elsewhere, and says how far it is behind", async () => {
    const a = await world.open("a");
    await world.open("b");
    const driverId = ofB();
    const partition = world.partitionOf(driverId);
    world.standby.set(partition, "a");
    world.bAt = { host: "127.0.0.1", port: 1 };
    const here = await a.get(`/v1/drivers/${driverId}`);
    expect(here).toMatchObject({ status: 200, body: { driverId } });
    expect(here.headers.get("slackline-standby-lag")).toBe("17");
    expect(here.headers.get("slackline-position")).toBe("");
    world.bAt = undefined;
    world.owner.set(partition, "nobody");
    world.standby.set(partition, "b");
    const elsewhere = await a.get(`/v1/drivers/${driverId}`);
    expect(elsewhere).toMatchObject({ status: 200, body: { driverId } });
    expect(elsewhere.headers.get("slackline-standby-lag")).toBe("17");
  });

  test("inherits its deadline: an instance that hangs costs no more than that, and is told how long it has", async () => {
    const a = await world.open("a", { deadlineMs: 400 });
    const { seen } = await stranger(() => {});
    const { status, body, ms } = await a.get(`/v1/drivers/${ofB()}`);
    expect({ status, body }).toMatchObject({ status: 503, body: { reason: "REBALANCING" } });
    expect(ms).toBeLessThan(1_500);
    expect(seen[0]?.["slackline-hop"]).toBe("1");
    expect(Number(seen[0]?.["slackline-deadline-ms"])).toBeLessThanOrEqual(400);
    expect(seen[0]?.authorization).toBe(`Bearer ${SECRETS.instance}`);
  });
});

describe("502 FORWARD_REFUSED", () => {
  test("for an address that no pattern allows, and nothing is sent", async () => {
    const a = await world.open("a", { peers: ["*.slackline.svc:7400", "10.0.0.0/8:*"] });
    const { seen } = await stranger((_, response) => void response.end("{}"));
    expect(await a.get(`/v1/drivers/${ofB()}`)).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
    expect(seen).toEqual([]);
  });

  test("for loopback and link-local that were not named, whatever else is allowed, and nothing is sent", async () => {
    const a = await world.open("a", { peers: ["0.0.0.0/0:*", "*.internal:*"], resolve: () => Promise.resolve(["127.0.0.1"]) });
    const { seen, port } = await stranger((_, response) => void response.end("{}"));
    expect(await a.get(`/v1/drivers/${ofB()}`)).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
    world.bAt = { host: "b.internal", port };
    expect(await a.get(`/v1/drivers/${ofB()}`)).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
    expect(seen).toEqual([]);
  });

  test("for a second hop, and for one without a count", async () => {
    const a = await world.open("a");
    const path = `/instance/v1/answers?question=driver&argument=${encodeURIComponent(JSON.stringify({ key: ofB() }))}`;
    const headers = { authorization: `Bearer ${SECRETS.instance}`, "slackline-deadline-ms": "1000" };
    for (const hop of [{ "slackline-hop": "2" }, {}])
      expect(await a.get(path, { ...headers, ...hop })).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
    // What is not here is not passed on a second time.
    expect(await a.get(path, { ...headers, "slackline-hop": "1" })).toMatchObject({ status: 503, body: { reason: "MOVED" } });
    expect(await a.get(path, { ...headers, "slackline-hop": "1", "slackline-deadline-ms": "0" })).toMatchObject({ status: 503 });
  });

  test("for an answer that is too large, one that redirects, and one that does not take our token", async () => {
    const a = await world.open("a", { answerBytesMax: 1_000 });
    await stranger(
      (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify("x".repeat(5_000))),
    );
    expect(await a.get(`/v1/drivers/${ofB()}`)).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
    const goal = await stranger((_, response) => void response.end("{}"));
    await stranger((_, response) => void response.writeHead(307, { location: `http://127.0.0.1:${goal.port}/` }).end());
    expect(await a.get(`/v1/drivers/${ofB()}`)).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
    expect(goal.seen).toEqual([]);
    await stranger((_, response) => void response.writeHead(403, { "content-type": "application/json" }).end("{}"));
    expect(await a.get(`/v1/drivers/${ofB()}`)).toMatchObject({ status: 502, body: { code: "FORWARD_REFUSED" } });
  });
});

describe("instances alone", () => {
  test("may ask there: no token 401, another scope 403, and arguments are checked", async () => {
    const a = await world.open("a");
    const hop = { "slackline-hop": "1", "slackline-deadline-ms": "1000" };
    expect(await a.get(pathOf({ key: "d1" }), { ...hop, authorization: "" })).toMatchObject({ status: 401 });
    expect(await a.get(pathOf({ key: "d1" }), hop)).toMatchObject({ status: 403 });
    const authorization = `Bearer ${SECRETS.instance}`;
    for (const argument of [{}, { key: "" }, { key: 5 }, { key: "x".repeat(300) }, null])
      expect(await a.get(pathOf(argument), { ...hop, authorization })).toMatchObject({ status: 400, body: { code: "BAD_REQUEST" } });
  });
});

describe("nearby drivers", () => {
  const near = `/v1/nearby-drivers?latitude=${kitchen.latitude}&longitude=${kitchen.longitude}`;

  test("come from all owners, merged", async () => {
    const a = await world.open("a");
    const b = await world.open("b");
    const [fromA, fromB] = [await a.get(near), await b.get(near)];
    expect(fromA.status).toBe(200);
    expect(idsOf(fromA)).toEqual(DRIVERS);
    expect(idsOf(fromB)).toEqual(DRIVERS);
    expect(fromA.body).toMatchObject({ complete: true });
    expect(fromA.body["missing"]).toBeUndefined();
    expect((await a.get(`${near}&limit=2`)).body["drivers"]).toHaveLength(2);
  });

  test("who does not answer is named, and the answer says that it is not complete", async () => {
    const a = await world.open("a");
    world.bAt = { host: "127.0.0.1", port: 1 };
    const partial = await a.get(near);
    expect(partial).toMatchObject({ status: 200, body: { complete: false } });
    expect(partial.body["missing"]).toEqual([{ partitions: [1, 3], instance: "b", reason: "INSTANCE_UNREACHABLE" }]);
    for (let partition = 0; partition < PARTITIONS; partition++) world.owner.set(partition, "nobody");
    expect(await a.get(near)).toMatchObject({ status: 503, body: { reason: "REBALANCING" } });
  });
});
