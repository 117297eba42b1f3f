/** The dispatch application in virtual time behind a real server: what is sent is worked on when the test lets time go by. */
import { createSerdes, memoryRegistry, type ZonePolicy } from "#schemas";
import { memoryDisk } from "#disk";
import { openEmbeddedLog } from "#log";
import { CommittedFeed, openCommittedView, type CommittedView } from "#streams";
import { openApplication } from "#streams/testing";
import { buildDispatch, defaultPolicy, dispatchTopics, type DispatchTopics } from "#topologies";
import type { Access } from "../access/tokens.ts";
import { dispatchServices, type DispatchServices, type DispatchServicesOptions } from "../dispatch-services.ts";
import { INDEXED_STORES } from "../queries/driver-index.ts";
import { localInspector } from "../local-inspector.ts";
import { startServer, type RunningServer, type ServerOptions } from "../server.ts";

export const START = 1_700_000_000_000;
export const kitchen = { latitude: 47.37, longitude: 8.54 };
export const home = { latitude: 47.38, longitude: 8.55 };
const GROUP = "served";

export interface ServedSystemOptions {
  readonly access?: Access;
  readonly policy?: Partial<ZonePolicy>;
  readonly partitions?: number;
  readonly server?: Partial<ServerOptions>;
  readonly services?: Partial<DispatchServicesOptions>;
}

export interface Sent {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

export class ServedSystem implements AsyncDisposable {
  readonly server: RunningServer;
  readonly services: DispatchServices;
  readonly topics: DispatchTopics;
  readonly view: CommittedView;
  readonly feed: CommittedFeed;
  readonly failures: readonly unknown[];
  readonly log: DispatchServicesOptions["log"];
  readonly #parts: Awaited<ReturnType<typeof openParts>>;

  private constructor(parts: Awaited<ReturnType<typeof openParts>>) {
    this.#parts = parts;
    ({
      server: this.server,
      services: this.services,
      topics: this.topics,
      view: this.view,
      feed: this.feed,
      failures: this.failures,
    } = parts);
    this.log = parts.app.log;
  }

  static async open(options: ServedSystemOptions = {}): Promise<ServedSystem> {
    return new ServedSystem(await openParts(options));
  }

  get now(): number {
    return this.#parts.app.clock.now();
  }

  /** Works on everything sent, up to so many milliseconds later. */
  advance(ms = 0): Promise<void> {
    return this.#parts.app.run(this.now + ms);
  }

  /** The threads die without a word, and new ones start. */
  crash(): void {
    this.#parts.app.crash();
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Sent> {
    return sent(await fetch(this.server.url + path, { headers }));
  }

  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Sent> {
    const all = { "content-type": "application/json", ...headers };
    return sent(await fetch(this.server.url + path, { method: "POST", headers: all, body: JSON.stringify(body) }));
  }

  /** A driver on duty at the kitchen, or elsewhere. */
  startShift(driverId: string, position = kitchen): Promise<Sent> {
    return this.post("/v1/driver-events", { type: "ShiftStarted", driverId, position, vehicle: "bicycle", capacity: 2 });
  }

  place(orderId: string, more: Readonly<Record<string, unknown>> = {}): Promise<Sent> {
    const terms = { restaurantId: "r1", pickup: kitchen, dropOff: home, priceMinor: 2_000, currency: "EUR" };
    return this.post("/v1/orders", { type: "OrderPlaced", orderId, ...terms, ...more });
  }

  locate(driverId: string, position = kitchen): Promise<Sent> {
    return this.post("/v1/driver-locations", { driverId, position });
  }

  act(driverId: string, type: string, jobId: string): Promise<Sent> {
    return this.post("/v1/driver-events", { type, driverId, jobId, attempt: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.services[Symbol.asyncDispose]();
    await this.#parts.app.stop();
    await this.log.close();
  }
}

async function openParts({ access = { kind: "open" }, policy = {}, partitions = 2, ...more }: ServedSystemOptions) {
  const registry = memoryRegistry();
  const inForce = { ...defaultPolicy, locationTtlMs: 0, ...policy };
  const topology = buildDispatch({ registry, partitions, defaultPolicy: inForce });
  const topics = dispatchTopics(createSerdes(registry), { partitions });
  const disk = memoryDisk();
  const log = await openEmbeddedLog({ disk });
  const view = openCommittedView({ topology, disk, log, group: GROUP });
  const feed = new CommittedFeed({ topology, view, stores: INDEXED_STORES });
  const app = await openApplication({ topology, disk, log, feed, applicationId: GROUP, startAt: START });
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const now = (): number => app.clock.now();
  const services = await dispatchServices({ log, view, feed, topics, policy: inForce, now, onFailure, ...more.services });
  const server = await startServer({
    inspector: localInspector({ log, topology, view, group: GROUP }),
    health: { ready: () => ({ ready: true, reason: "running" }) },
    metrics: () => Promise.resolve(""),
    access,
    services,
    onFailure,
    port: 0,
    ...more.server,
  });
  return { app, topics, view, feed, services, server, failures };
}

async function sent(response: Response): Promise<Sent> {
  const text = await response.text();
  const body = (text === "" ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>; // every answer of ours is an object
  return { status: response.status, body, headers: response.headers };
}
