/** Bad input over HTTP: each is answered with its status and code while others are served, and its connection goes on. */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { home, kitchen, ServedSystem, START } from "./testing/served-system.ts";

let system: ServedSystem;
let load: { readonly stop: () => Promise<{ readonly sent: number; readonly refused: number }> };

beforeAll(async () => {
  system = await ServedSystem.open();
  load = underLoad();
});
afterAll(async () => {
  const { sent, refused } = await load.stop();
  await system[Symbol.asyncDispose]();
  expect(sent).toBeGreaterThan(10);
  expect(refused).toBe(0);
});

/** Good clients, all the time. */
function underLoad() {
  const stopped = new AbortController();
  let sent = 0;
  let refused = 0;
  const clients = Array.from({ length: 4 }, async (_, client) => {
    while (!stopped.signal.aborted) {
      const { status } = await system.post("/v1/driver-locations", { driverId: `good-${client}`, position: kitchen });
      sent++;
      if (status !== 202) refused++;
    }
  });
  return {
    stop: async () => {
      stopped.abort();
      await Promise.all(clients);
      return { sent, refused };
    },
  };
}

/** Speaks HTTP by hand, so that it is known to be one connection. */
class OneConnection implements Disposable {
  readonly #socket: Socket;
  #text = "";
  #closed = false;
  #changed: () => void = () => {};

  constructor(url: string) {
    this.#socket = connect(Number(new URL(url).port), "127.0.0.1");
    this.#socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#changed();
    });
    this.#socket.on("close", () => {
      this.#closed = true;
      this.#changed();
    });
    this.#socket.on("error", () => {});
  }

  async post(
    path: string,
    body: string | Buffer,
    type: string | undefined = "application/json",
  ): Promise<{ status: number; code: unknown }> {
    const bytes = Buffer.from(body);
    const head = [`POST ${path} HTTP/1.1`, "Host: here", `Content-Length: ${bytes.length}`];
    if (type !== "") head.push(`Content-Type: ${type}`);
    this.#text = "";
    this.#socket.write(`${head.join("\r\n")}\r\n\r\n`);
    this.#socket.write(bytes);
    return this.#answer();
  }

  async #answer(): Promise<{ status: number; code: unknown }> {
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(this.#text)?.[1] ?? Number.NaN);
      if (end >= 0 && this.#text.length >= end + 4 + length) {
        const body = JSON.parse(this.#text.slice(end + 4, end + 4 + length)) as { readonly code?: unknown };
        return { status: Number(this.#text.slice(9, 12)), code: body.code };
      }
      if (this.#closed) throw new Error(`closed after ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const order = { type: "OrderPlaced", orderId: "o1", restaurantId: "r1", pickup: kitchen, dropOff: home, priceMinor: 100, currency: "EUR" };
const text = JSON.stringify(order);
const deep = "[".repeat(10_000) + "]".repeat(10_000);
const rows: readonly (readonly [string, string, string | Buffer, string | undefined, number, string])[] = [
  ["a body of 5 MB", "/v1/orders", `{"orderId":"${"x".repeat(5_000_000)}"}`, undefined, 413, "BODY_TOO_LARGE"],
  ["JSON ten thousand levels deep", "/v1/orders", deep, undefined, 400, "LIMIT_EXCEEDED"],
  ["a key __proto__", "/v1/orders", '{"__proto__":{"admin":true}}', undefined, 400, "FORBIDDEN_KEY"],
  ["a key twice", "/v1/orders", `${text.slice(0, -1)},"orderId":"o2"}`, undefined, 400, "MALFORMED_BODY"],
  ["no JSON", "/v1/orders", "hello", undefined, 400, "MALFORMED_BODY"],
  ["an empty body", "/v1/orders", "", undefined, 400, "MALFORMED_BODY"],
  ["no UTF-8", "/v1/orders", Buffer.from([0x22, 0xff, 0xfe, 0x22]), undefined, 400, "MALFORMED_BODY"],
  ["text as text", "/v1/orders", text, "text/plain", 415, "MEDIA_TYPE_UNSUPPORTED"],
  ["a type that begins as JSON does", "/v1/orders", text, "application/jsonp", 415, "MEDIA_TYPE_UNSUPPORTED"],
  ["a type with a tab and another in it", "/v1/orders", text, "application/json\t; text/plain", 415, "MEDIA_TYPE_UNSUPPORTED"],
  ["another character set", "/v1/orders", text, "application/json; charset=utf-16", 415, "MEDIA_TYPE_UNSUPPORTED"],
  ["no type at all", "/v1/orders", text, "", 415, "MEDIA_TYPE_UNSUPPORTED"],
  ["an empty list", "/v1/orders", "[]", undefined, 400, "VALIDATION"],
  ["101 events", "/v1/orders", `[${Array.from({ length: 101 }, () => '{"orderId":"o"}').join(",")}]`, undefined, 400, "LIMIT_EXCEEDED"],
  ["a number instead of an event", "/v1/orders", "7", undefined, 400, "VALIDATION"],
];
const wrongFields: readonly (readonly [string, Readonly<Record<string, unknown>>, string, RegExp])[] = [
  ["latitude 91", { pickup: { latitude: 91, longitude: 0 } }, "VALIDATION", /field=pickup\.latitude/],
  ["longitude as text", { pickup: { latitude: 1, longitude: "8" } }, "VALIDATION", /field=pickup\.longitude/],
  ["a negative price", { priceMinor: -1 }, "VALIDATION", /field=priceMinor/],
  ["a broken price", { priceMinor: 1.5 }, "VALIDATION", /field=priceMinor/],
  ["a currency that nobody uses", { currency: "XXQ" }, "VALIDATION", /field=currency/],
  ["a field that nobody knows", { tip: 5 }, "VALIDATION", /field=tip/],
  ["a field within that nobody knows", { pickup: { latitude: 1, longitude: 1, floor: 3 } }, "VALIDATION", /field=pickup\.floor/],
  ["a field left out", { currency: undefined }, "VALIDATION", /field=currency/],
  ["an event of another kind", { type: "RideRequested" }, "VALIDATION", /field=type/],
  ["an id of ten thousand characters", { orderId: "x".repeat(10_000) }, "INVALID_KEY", /field=orderId/],
  ["an empty id", { orderId: "" }, "INVALID_KEY", /field=orderId/],
  ["no id", { orderId: undefined }, "INVALID_KEY", /field=orderId/],
  ["a time a year ahead", { occurredAt: START + 365 * 24 * 3_600_000 }, "TIMESTAMP_OUT_OF_RANGE", /field=occurredAt/],
  ["a time before 1970", { occurredAt: -1 }, "TIMESTAMP_OUT_OF_RANGE", /field=occurredAt/],
];

describe("under load, on a connection that goes on:", () => {
  test.each(rows)("%s", async (_, path, body, type, status, code) => {
    using connection = new OneConnection(system.server.url);
    expect(await connection.post(path, body, type)).toEqual({ status, code });
    // The same connection, right afterwards.
    const { status: next } = await connection.post("/v1/driver-locations", JSON.stringify({ driverId: "d1", position: kitchen }));
    expect(next).toBe(202);
  });

  test.each(wrongFields)("%s", async (_, change, code, detail) => {
    const { status, body } = await system.post("/v1/orders", { ...order, ...change });
    expect([status, body["code"]]).toEqual([400, code]);
    expect(body["detail"]).toMatch(detail);
  });

  test("a list with one bad event is refused whole, and names it", async () => {
    const before = await orders();
    const { status, body } = await system.post("/v1/orders", [order, { ...order, orderId: "o2", priceMinor: -1 }]);
    expect([status, body["code"]]).toEqual([400, "VALIDATION"]);
    expect(body["detail"]).toMatch(/^event 1: field=priceMinor/);
    expect(await orders()).toBe(before);
  });

  test("a body that never ends is cut off, others go on", async () => {
    const socket = connect(Number(new URL(system.server.url).port), "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.resume();
    socket.write("POST /v1/orders HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk));
      if (!socket.destroyed) socket.once("drain", more);
    };
    more();
    await closed;
    expect((await system.get("/livez")).status).toBe(200);
  });
});

async function orders(): Promise<number> {
  let records = 0;
  for (let partition = 0; partition < 2; partition++)
    records += await system.log.offsets.bound({ topic: "dispatch.orders.v1", partition }, "stable");
  return records;
}
