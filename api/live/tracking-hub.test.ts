import { describe, expect, test } from "vitest";
import { home, kitchen, ServedSystem } from "../testing/served-system.ts";

interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A browser's EventSource, as far as a test needs it. */
class Listener implements AsyncDisposable {
  readonly events: StreamEvent[] = [];
  comments = 0;
  readonly #abort: AbortController;
  readonly #done: Promise<void>;
  #text = "";
  #changed: () => void = () => {};

  private constructor(body: ReadableStream<Uint8Array>, abort: AbortController) {
    this.#abort = abort;
    this.#done = this.#read(body).catch(() => {});
  }

  static async open(url: string, lastEventId?: string): Promise<Listener> {
    const abort = new AbortController();
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const response = await fetch(url, { headers, signal: abort.signal });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    if (response.body === null) throw new Error("a body expected");
    return new Listener(response.body, abort);
  }

  /** Resolves once there are so many. */
  async until(count: number): Promise<readonly StreamEvent[]> {
    while (this.events.length < count) await new Promise<void>((resolve) => (this.#changed = resolve));
    return this.events;
  }

  get lastId(): string {
    return this.events.findLast(({ id }) => id !== undefined)?.id ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      this.#text += decoder.decode(chunk, { stream: true });
      for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
        this.#take(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
      }
    }
  }

  #take(block: string): void {
    const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
    const data = fields.get("data");
    if (fields.has("")) this.comments++;
    if (data !== undefined)
      this.events.push({ id: fields.get("id"), event: fields.get("event") ?? "", data: JSON.parse(data) as StreamEvent["data"] });
    this.#changed();
  }
}

const kinds = (events: readonly StreamEvent[]): readonly string[] =>
  events.map(({ event, data }) => (event === "trip" ? `trip ${String(data["state"])}` : event));
const north = (degrees: number) => ({ ...kitchen, latitude: kitchen.latitude + degrees });

/** d1 has o1 in hand. */
async function underWay(): Promise<ServedSystem> {
  const system = await ServedSystem.open();
  await system.startShift("d1");
  await system.advance(1_000);
  await system.place("o1");
  await system.advance(5_000);
  return system;
}

const jobStream = ({ server }: ServedSystem, jobId = "o1"): string => `${server.url}/v1/jobs/${jobId}/stream`;

describe("who follows a job", () => {
  test("sees where it stands, then every change and position", async () => {
    await using system = await underWay();
    await using listener = await Listener.open(jobStream(system));
    const [snapshot] = await listener.until(1);
    expect(snapshot).toMatchObject({
      event: "snapshot",
      data: { jobId: "o1", state: "assigned", driverId: "d1", tracking: { position: kitchen } },
    });
    await system.locate("d1", north(0.001));
    await system.advance(4_000);
    await system.act("d1", "ArrivedAtPickup", "o1");
    await system.advance(1_000);
    const events = await listener.until(3);
    expect(kinds(events)).toEqual(["snapshot", "position", "trip atPickup"]);
    expect(events[1]?.data).toMatchObject({ jobId: "o1", driverId: "d1", attempt: 1, position: north(0.001) });
    expect(events[1]?.data["dropOffEta"]).toBeGreaterThan(Number(events[1]?.data["pickupEta"]));
  });

  test("hears nothing of other jobs, and of no driver that the trip does not name", async () => {
    await using system = await underWay();
    await system.place("other", { pickup: home });
    await system.startShift("d2", home);
    await system.advance(5_000);
    await using listener = await Listener.open(jobStream(system));
    await system.post("/v1/orders", { type: "OrderCancelled", orderId: "o1", version: 2 });
    await system.locate("d2", home);
    await system.advance(4_000);
    await system.locate("d1", north(0.001));
    await system.advance(4_000);
    expect(kinds(await listener.until(2))).toEqual(["snapshot", "trip cancelled"]);
    await system.place("o1-next");
    await system.advance(2_000);
    expect(kinds(listener.events)).toEqual(["snapshot", "trip cancelled"]);
  });

  test("goes on where he was when he comes back", async () => {
    await using system = await underWay();
    const first = await Listener.open(jobStream(system));
    await first.until(1);
    await system.locate("d1", north(0.001));
    await system.advance(4_000);
    await first.until(2);
    await first[Symbol.asyncDispose]();
    await system.locate("d1", north(0.002));
    await system.advance(4_000);
    await system.act("d1", "ArrivedAtPickup", "o1");
    await system.advance(1_000);
    await using second = await Listener.open(jobStream(system), first.lastId);
    expect(kinds(await second.until(2))).toEqual(["position", "trip atPickup"]);
    expect(second.events[0]?.data).toMatchObject({ position: north(0.002) });
  });

  test("begins anew when what he missed is not held any more, or was never ours", async () => {
    await using system = await underWay();
    for (const lastId of ["another.t0.1", "nonsense", "x".repeat(500)]) {
      await using listener = await Listener.open(jobStream(system), lastId);
      expect(await listener.until(1)).toMatchObject([{ event: "reset", data: { jobId: "o1", state: "assigned" } }]);
    }
  });

  test("is told when there is no such job, as a problem", async () => {
    await using system = await underWay();
    expect((await system.get("/v1/jobs/nobody/stream")).body).toMatchObject({ status: 404, code: "KEY_NOT_FOUND" });
    expect((await system.get("/v1/cells/851f9bcfffffff0/stream")).body).toMatchObject({ status: 400, code: "BAD_REQUEST" });
    expect((await system.get("/v1/cells/8a1f8edb5a97fff/stream")).body).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  });
});

test("who follows a cell sees positions in it and trips that begin in it, and none elsewhere", async () => {
  await using system = await underWay();
  const cell = String((await system.get("/v1/jobs/o1")).body["cell"]);
  await using here = await Listener.open(`${system.server.url}/v1/cells/${cell}/stream`);
  await using elsewhere = await Listener.open(`${system.server.url}/v1/cells/851f1d4bfffffff/stream`);
  expect(await here.until(1)).toMatchObject([
    { event: "snapshot", data: { cell, complete: true, jobs: [{ jobId: "o1", driverId: "d1" }] } },
  ]);
  expect(await elsewhere.until(1)).toMatchObject([{ event: "snapshot", data: { jobs: [] } }]);
  await system.locate("d1", north(0.001));
  await system.place("o2");
  await system.advance(4_000);
  expect(kinds(await here.until(3)).toSorted()).toEqual(["position", "snapshot", "trip open"]);
  expect(elsewhere.events).toHaveLength(1);
});

test("a server that stops ends its streams, and forgets who followed", async () => {
  const system = await underWay();
  const listener = await Listener.open(jobStream(system));
  await listener.until(1);
  expect(system.services.tracking.counts().followers).toBe(1);
  await listener[Symbol.asyncDispose]();
  const another = await Listener.open(jobStream(system));
  await another.until(1);
  await system[Symbol.asyncDispose]();
  await another[Symbol.asyncDispose]();
  expect(system.services.tracking.counts().followers).toBe(0);
});
