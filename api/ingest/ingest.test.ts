import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog, type Log, type Producer } from "#log";
import { createSerdes, memoryRegistry } from "#schemas";
import { dispatchTopics } from "#topologies";
import { ApiError } from "../errors.ts";
import { home, kitchen, ServedSystem, type Sent } from "../testing/served-system.ts";
import { BatchingIngest } from "./batching-ingest.ts";
import type { AcceptedRecord } from "./ingest.ts";

let system: ServedSystem;
beforeAll(async () => {
  system = await ServedSystem.open();
});
afterAll(() => system[Symbol.asyncDispose]());

const recordsOf = ({ body }: Sent): readonly AcceptedRecord[] => body["records"] as readonly AcceptedRecord[];
/** What rests at each place that was answered. */
async function resting(records: readonly AcceptedRecord[]): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const { topic, partition, offset } of records) {
    const { body } = await system.get(`/v1/topics/${topic}/records?partition=${partition}&last=1000`);
    found.push((Object.values(body) as { offset: number; value: unknown }[]).find((record) => record.offset === offset)?.value);
  }
  return found;
}

describe("events sent over HTTP", () => {
  test("rest where the answer says, with what was left out filled in", async () => {
    const answer = await system.place("one", { eventId: "e-one" });
    expect(answer.status).toBe(202);
    expect(await resting(recordsOf(answer))).toMatchObject([
      { type: "OrderPlaced", eventId: "e-one", orderId: "one", version: 1, occurredAt: system.now, readyAt: system.now, requirements: [] },
    ]);
  });

  test("each of many at once has its own place", async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => system.place(`many-${index}`)));
    const records = answers.flatMap(recordsOf);
    expect(new Set(records.map(({ partition, offset }) => `${partition}@${offset}`)).size).toBe(60);
    const values = (await resting(records)) as { orderId: string }[];
    expect(values.map(({ orderId }) => orderId)).toEqual(answers.map((_, index) => `many-${index}`));
  });

  test("a list of a hundred has a hundred places", async () => {
    const events = Array.from({ length: 100 }, (_, index) => ({ driverId: `l-${index}`, position: kitchen }));
    const answer = await system.post("/v1/driver-locations", events);
    expect(answer.body).toMatchObject({ accepted: 100 });
    expect(await resting(recordsOf(answer))).toMatchObject(events);
  });

  test("every kind of event has its route", async () => {
    const bodies: readonly (readonly [string, object])[] = [
      ["driver-locations", { driverId: "k1", position: kitchen, speed: 3, heading: 90, accuracyMetres: 5 }],
      ["driver-events", { type: "ShiftStarted", driverId: "k1", position: kitchen, vehicle: "car" }],
      ["driver-events", { type: "JobDeclined", driverId: "k1", jobId: "kinds", attempt: 1 }],
      ["driver-events", { type: "ShiftEnded", driverId: "k1" }],
      ["orders", { type: "OrderReadyTimeChanged", orderId: "kinds", readyAt: system.now, version: 2 }],
      ["orders", { type: "OrderCancelled", orderId: "kinds", version: 3, reason: "closed" }],
      ["rides", { type: "RideRequested", rideId: "kind-r", pickup: kitchen, dropOff: home, quoteMinor: 900, currency: "EUR" }],
      ["rides", { type: "RideCancelled", rideId: "kind-r", version: 2 }],
    ];
    for (const [kind, body] of bodies) {
      const answer = await system.post(`/v1/${kind}`, body);
      expect([body, answer.status]).toEqual([body, 202]);
      expect(await resting(recordsOf(answer))).toMatchObject([body]);
    }
  });

  test("the idempotency key is the event's id, and what is sent twice has one effect and a recorded refusal", async () => {
    const headers = { "idempotency-key": "once" };
    const order = {
      type: "OrderPlaced",
      orderId: "twice",
      restaurantId: "r",
      pickup: kitchen,
      dropOff: home,
      priceMinor: 1,
      currency: "EUR",
    };
    for (const _ of [1, 2]) expect(recordsOf(await system.post("/v1/orders", order, headers))).toMatchObject([{ eventId: "once" }]);
    const list = await system.post(
      "/v1/driver-locations",
      [
        { driverId: "i1", position: kitchen },
        { driverId: "i2", position: kitchen },
      ],
      headers,
    );
    expect(recordsOf(list)).toMatchObject([{ eventId: "once.0" }, { eventId: "once.1" }]);
    await system.advance(1_000);
    const { body } = await system.get("/v1/jobs/twice");
    expect(body).toMatchObject({ jobVersion: 1, story: { refusals: [{ event: { reason: "DUPLICATE", eventId: "once" } }] } });
    const other = await system.post("/v1/orders", { ...order, eventId: "other" }, headers);
    expect([other.status, other.body["code"]]).toEqual([400, "VALIDATION"]);
    const bad = await system.post("/v1/orders", order, { "idempotency-key": "with space" });
    expect([bad.status, bad.body["code"]]).toEqual([400, "BAD_REQUEST"]);
  });
});

/** A log whose producer counts, and fails when told to. */
async function countingIngest() {
  const log: Log = await openEmbeddedLog({ disk: memoryDisk() });
  const topics = dispatchTopics(createSerdes(memoryRegistry()), { partitions: 2 });
  await log.topics.ensure([topics.orders].map(({ name, partitions, cleanup }) => ({ name, partitions, cleanup: cleanup ?? "delete" })));
  const state = { flushes: 0, fails: false };
  const producer = (): Producer => {
    const real = log.producer();
    const flush = (): ReturnType<Producer["flush"]> => {
      state.flushes++;
      return state.fails ? real.flush().then(() => Promise.reject(new Error("the connection broke"))) : real.flush();
    };
    return {
      append: (...record) => real.append(...record),
      flush,
      close: () => real.close(),
      get bufferedBytes() {
        return real.bufferedBytes;
      },
    };
  };
  return { log, state, ingest: new BatchingIngest({ log: { producer }, topics, now: () => 1_000 }) };
}
const body = (orderId: string) => ({
  type: "OrderPlaced",
  orderId,
  restaurantId: "r",
  pickup: kitchen,
  dropOff: home,
  priceMinor: 1,
  currency: "EUR",
});
const send = (ingest: BatchingIngest, orderId: string) => ingest.accept({ kind: "orders", body: body(orderId), mayConcern: () => true });

test("all requests of a few milliseconds are one append", async () => {
  const { ingest, state } = await countingIngest();
  await using _ = ingest;
  const records = (await Promise.all(Array.from({ length: 50 }, (_, index) => send(ingest, `o${index}`)))).flat();
  expect(state.flushes).toBe(1);
  const places = records.map(({ partition, offset }) => `${partition}@${offset}`);
  expect(new Set(places).size).toBe(50);
  for (const partition of [0, 1]) {
    const offsets = records.filter((record) => record.partition === partition).map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.map((_, index) => index));
  }
});

test("a log that does not say whether it has them answers so, and goes on with the next", async () => {
  const { ingest, state } = await countingIngest();
  await using _ = ingest;
  state.fails = true;
  await expect(send(ingest, "o1")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  state.fails = false;
  expect(await send(ingest, "o1")).toMatchObject([{ topic: "dispatch.orders.v1" }]);
});

test("what was accepted is in the log when it is closed, and nothing is accepted afterwards", async () => {
  const { ingest } = await countingIngest();
  const under = send(ingest, "o1");
  await ingest[Symbol.asyncDispose]();
  expect(await under).toMatchObject([{ offset: 0 }]);
  expect(await send(ingest, "o2").catch((error: unknown) => error)).toBeInstanceOf(ApiError);
});
