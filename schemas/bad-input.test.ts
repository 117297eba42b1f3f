/** What the wire may bring: each line of bad bytes and bad values, its code, and that refusing it costs nothing. */
import avsc from "avsc";
import { describe, expect, test } from "vitest";
import { avroSerde } from "./avro/avro-serde.ts";
import { createGuard } from "./avro/guard.ts";
import { defaultLimits } from "./avro/limits.ts";
import { parseSchema } from "./avro/parse-schema.ts";
import { driverLocationSchema } from "./driver-locations.ts";
import { orderEventSchema } from "./orders.ts";
import { memoryRegistry } from "./registry/memory-registry.ts";
import { createSerdes } from "./serdes.ts";
import { schemaText } from "./avro/schema-text.ts";

const registry = memoryRegistry();
const serdes = createSerdes(registry);
const locationId = 1;

/** A frame around a body given as bytes. */
function frame(schemaId: number, ...body: (Buffer | readonly number[])[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(schemaId, 1);
  return Buffer.concat([head, ...body.map((part) => Buffer.from(part as Buffer))]);
}

/** A long as Avro writes it, as large as one likes. */
function long(value: bigint): Buffer {
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n;
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

const text = (value: string): Buffer => Buffer.concat([long(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);

/** Expects the code, in under 5 ms, and no growth of the process; the best of some tries, because the machine has other work. */
function refuses(decode: () => unknown, code: string, message?: RegExp): void {
  let [took, grown] = [Infinity, Infinity];
  for (let tries = 0; tries < 10 && (took >= 5 || grown >= 1024 * 1024); tries++) {
    const before = process.memoryUsage.rss();
    const start = performance.now();
    const error = errorOf(decode);
    took = Math.min(took, performance.now() - start);
    grown = Math.min(grown, process.memoryUsage.rss() - before);
    expect(error).toMatchObject({ name: "SerdeError", code });
    if (message !== undefined) expect((error as Error).message).toMatch(message);
  }
  expect(took).toBeLessThan(5);
  expect(grown).toBeLessThan(1024 * 1024);
}

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

function whole<T>(serde: { decode(bytes: Buffer, start: number, end: number): T }, bytes: Buffer): () => T {
  return () => serde.decode(bytes, 0, bytes.length);
}

describe("frames", () => {
  test("of fewer than five bytes or with another first byte are MALFORMED_FRAME", () => {
    for (const bytes of [[], [0], [0, 0, 0, 1], [1, 0, 0, 0, 1, 0], [0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31]])
      refuses(whole(serdes.driverLocations, Buffer.from(bytes)), "MALFORMED_FRAME");
  });

  test("never make the decoder look outside start and end", () => {
    const target = Buffer.alloc(300);
    const end = serdes.driverLocations.encode(location(), target, 0);
    for (let cut = 0; cut < end; cut++)
      refuses(() => serdes.driverLocations.decode(target, 0, cut), cut < 5 ? "MALFORMED_FRAME" : code(target, cut));
    refuses(() => serdes.driverLocations.decode(target, 0, end + 1), "MALFORMED_FRAME", /1 bytes are left/);
  });

  test("of an unknown schema are UNKNOWN_SCHEMA with the id", () => {
    refuses(whole(serdes.driverLocations, frame(4_711, [0])), "UNKNOWN_SCHEMA", /id=4711/);
    refuses(whole(serdes.driverLocations, frame(0xffff_ffff, [0])), "UNKNOWN_SCHEMA", /id=4294967295/);
  });

  test("of another topic's schema are SCHEMA_INCOMPATIBLE", () => {
    const target = Buffer.alloc(500);
    const end = serdes.driverEvents.encode({ type: "ShiftEnded", eventId: "e", driverId: "d", occurredAt: 1 }, target, 0);
    refuses(() => serdes.driverLocations.decode(target, 0, end), "SCHEMA_INCOMPATIBLE");
  });

  test("over 256 KiB are LIMIT_EXCEEDED", () => {
    refuses(whole(serdes.driverLocations, frame(locationId, Buffer.alloc(256 * 1024))), "LIMIT_EXCEEDED", /262149 bytes, at most 262144/);
  });

  test("wait for a registry that does not answer, and do not blame the record", () => {
    const away = { ...registryOf(), schemaById: () => unavailable() };
    const serde = avroSerde({ subject: "s", schema: driverLocationSchema, registry: away });
    refuses(whole(serde, frame(77, [0])), "REGISTRY_UNAVAILABLE");
  });
});

function registryOf() {
  const inner = memoryRegistry();
  return {
    register: inner.register.bind(inner),
    schemaById: inner.schemaById.bind(inner),
    latest: inner.latest.bind(inner),
    all: inner.all.bind(inner),
  };
}

function unavailable(): never {
  throw Object.assign(new Error("away"), { name: "SerdeError", code: "REGISTRY_UNAVAILABLE" });
}

/** A cut inside a string is a length too large, elsewhere the value ends too early. */
function code(target: Buffer, cut: number): string {
  const { code: seen } = errorOf(() => serdes.driverLocations.decode(target, 0, cut)) as { readonly code: string };
  expect(["MALFORMED_FRAME", "LIMIT_EXCEEDED"]).toContain(seen);
  return seen;
}

/** A record in a record in a record: each union index 1, the last one 0. */
const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 2), Buffer.from([0])]);

describe("bombs", () => {
  const numbers = avroSerde({ subject: "numbers", schema: { type: "array", items: "int" }, registry });
  const nulls = avroSerde({ subject: "nulls", schema: { type: "array", items: { type: "array", items: "null" } }, registry });
  const map = avroSerde({ subject: "map", schema: { type: "map", values: "double" }, registry });
  const string = avroSerde({ subject: "string", schema: "string", registry });
  const bytes = avroSerde({ subject: "bytes", schema: "bytes", registry });
  const id = (schema: Parameters<typeof schemaText>[0], subject: string): number => registry.register(subject, schemaText(schema));
  const numbersId = id({ type: "array", items: "int" }, "numbers");
  const nullsId = id({ type: "array", items: { type: "array", items: "null" } }, "nulls");
  const mapId = id({ type: "map", values: "double" }, "map");

  test("of array counts that the bytes cannot pay for are LIMIT_EXCEEDED", () => {
    for (const count of [2n ** 31n, 50_000_000n, 2n ** 53n, 2n ** 62n, 5n])
      refuses(whole(numbers, frame(numbersId, long(count), [2, 2])), "LIMIT_EXCEEDED", /items announced/);
    refuses(whole(numbers, frame(numbersId, long(-(2n ** 40n)), long(1n), [2, 0])), "LIMIT_EXCEEDED");
    refuses(whole(numbers, frame(numbersId, long(-1n), long(2n ** 40n), [2, 0])), "LIMIT_EXCEEDED", /block of/);
    refuses(whole(numbers, frame(numbersId, long(-1n), long(-5n), [2, 0])), "LIMIT_EXCEEDED", /block of/);
  });

  test("of items without bytes are LIMIT_EXCEEDED, also when many arrays share them out", () => {
    refuses(whole(nulls, frame(nullsId, long(1n), long(50_000_000n), [0, 0])), "LIMIT_EXCEEDED", /without bytes/);
    const each = Buffer.concat([long(1_000n), Buffer.from([0])]);
    refuses(
      whole(nulls, frame(nullsId, long(40_000n), ...Array.from({ length: 40_000 }, () => each), [0])),
      "LIMIT_EXCEEDED",
      /without bytes/,
    );
    const few = whole(nulls, frame(nullsId, long(2n), each.subarray(0, 0), long(3n), [0], long(2n), [0, 0]))();
    expect(few).toEqual([
      [null, null, null],
      [null, null],
    ]);
  });

  test("of lengths beyond the value, or negative, are LIMIT_EXCEEDED", () => {
    const stringId = id("string", "string");
    const bytesId = id("bytes", "bytes");
    for (const length of [2n ** 31n, 2n ** 52n, 2n ** 63n - 1n, -1n, -(2n ** 40n), 4n]) {
      refuses(whole(string, frame(stringId, long(length), Buffer.from("abc"))), "LIMIT_EXCEEDED", /length/);
      refuses(whole(bytes, frame(bytesId, long(length), Buffer.from("abc"))), "LIMIT_EXCEEDED", /length/);
    }
    refuses(whole(serdes.driverLocations, frame(locationId, long(-3n), Buffer.alloc(60))), "LIMIT_EXCEEDED", /field=eventId/);
  });

  test("of numbers without an end are MALFORMED_FRAME", () => {
    refuses(whole(numbers, frame(numbersId, long(1n), Buffer.alloc(11, 0xff), [0, 0])), "MALFORMED_FRAME", /too long/);
    refuses(whole(numbers, frame(numbersId, Buffer.alloc(200_000, 0x80))), "MALFORMED_FRAME");
  });

  test("of depth beyond 32 are LIMIT_EXCEEDED; 30 are fine", () => {
    const recursive = JSON.stringify({ type: "record", name: "Node", fields: [{ name: "next", type: ["null", "Node"] }] });
    const guard = createGuard(parseSchema(recursive).branches[0] as avsc.Type, defaultLimits);
    guard(nested(30), 0, 31);
    refuses(() => guard(nested(200_000), 0, 200_001), "LIMIT_EXCEEDED", /depth over 32/);
  });

  test("that fill the whole 256 KiB honestly decode in time too", () => {
    const count = 200_000;
    const bytes = frame(numbersId, long(BigInt(count)), Buffer.alloc(count, 2), [0]);
    whole(numbers, bytes)();
    const start = performance.now();
    expect(whole(numbers, bytes)()).toHaveLength(count);
    expect(performance.now() - start).toBeLessThan(50);
  });

  test("by map keys that reach for the prototype are FORBIDDEN_KEY", () => {
    for (const key of ["__proto__", "constructor", "prototype"])
      refuses(whole(map, frame(mapId, long(1n), text(key), Buffer.alloc(8), [0])), "FORBIDDEN_KEY");
    const harmless = whole(map, frame(mapId, long(1n), text("__proto"), Buffer.alloc(8), [0]))();
    expect(harmless).toEqual({ __proto: 0 });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe("bytes that are no value", () => {
  test("of bad UTF-8 are MALFORMED_FRAME and name the field", () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      const body = [long(BigInt(bad.length)), bad, text("d"), Buffer.alloc(40), long(1n)];
      refuses(whole(serdes.driverLocations, frame(locationId, ...body)), "MALFORMED_FRAME", /field=eventId a string is not UTF-8/);
    }
  });

  test("of unknown symbols, kinds and booleans are MALFORMED_FRAME", () => {
    const ordersId = registry.register("dispatch.orders.v1-value", schemaText(orderEventSchema));
    for (const kind of [[6], [0x80, 1], [1], [255]])
      refuses(whole(serdes.orders, frame(ordersId, kind, Buffer.alloc(50))), "MALFORMED_FRAME", /union index/);
    const flag = avroSerde({ subject: "flag", schema: "boolean", registry });
    refuses(whole(flag, frame(registry.register("flag", '"boolean"'), [7])), "MALFORMED_FRAME", /boolean/);
    const shade = { type: "enum", name: "Shade", symbols: ["dark", "light"] } as const;
    const shades = avroSerde({ subject: "shade", schema: shade, registry });
    refuses(whole(shades, frame(registry.register("shade", schemaText(shade)), [8])), "MALFORMED_FRAME", /index 4 of 2/);
  });

  test("of longs beyond 2^52 are VALIDATION and name the field", () => {
    const body = [text("e"), text("d"), Buffer.alloc(40)];
    for (const beyond of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 52n + 2n])
      refuses(whole(serdes.driverLocations, frame(locationId, ...body, long(beyond))), "VALIDATION", /field=recordedAt/);
    for (const within of [2n ** 52n, -(2n ** 52n)])
      expect(whole(serdes.driverLocations, frame(locationId, ...body, long(within)))().recordedAt).toBe(Number(within));
  });
});

type Patch = Readonly<Record<string, unknown>>;

function location(patch: Patch = {}): never {
  const value = {
    type: "DriverLocation",
    eventId: "e",
    driverId: "d",
    position: { latitude: 1, longitude: 2 },
    accuracyMetres: 5,
    speed: 7,
    heading: 9,
    recordedAt: 1,
    ...patch,
  };
  return value as never;
}

function order(patch: Patch = {}): never {
  const point = { latitude: 1, longitude: 2 };
  const ids = { eventId: "e", orderId: "o", restaurantId: "r" };
  const times = { occurredAt: 1, readyAt: 1, notBefore: 0 };
  return {
    type: "OrderPlaced",
    version: 1,
    pickup: point,
    dropOff: point,
    requirements: [],
    priceMinor: 1,
    currency: "EUR",
    ...ids,
    ...times,
    ...patch,
  } as never;
}

function shift(patch: Patch = {}): never {
  const position = { latitude: 1, longitude: 2 };
  const event = { type: "ShiftStarted", eventId: "e", driverId: "d", occurredAt: 1 };
  return { ...event, position, vehicle: "car", tags: [], capacity: 1, endsAt: null, ...patch } as never;
}

// A foreign writer knows the fields but not our ranges: the same records with bare types, written by Avro's own library.
const bare = (schema: Parameters<typeof schemaText>[0]): unknown =>
  JSON.parse(schemaText(schema), (key, value: unknown) =>
    /^(?:minimum|maximum|exclusiveMaximum|minLength|maxLength|maxItems|format|tagged)$/.test(key) ? undefined : value,
  );
const point = (latitude: number, longitude: number): Patch => ({ position: { latitude, longitude } });

describe("values outside their domain", () => {
  const foreign = new Map<string, { readonly type: avsc.Type; readonly id: number }>();
  for (const [name, serdeSchema] of [
    ["driverLocations", driverLocationSchema],
    ["orders", orderEventSchema],
  ] as const) {
    const json = bare(serdeSchema);
    const type = avsc.Type.forSchema(json as avsc.Schema, { wrapUnions: true });
    foreign.set(name, { type, id: registry.register(`foreign-${name}`, JSON.stringify(json)) });
  }

  const badLocations: readonly (readonly [string, Patch, RegExp])[] = [
    ["latitude 91", point(91, 2), /field=position.latitude reason=91 is outside -90 to 90/],
    ["latitude −90.1", point(-90.1, 2), /field=position.latitude/],
    ["longitude NaN", point(1, Number.NaN), /field=position.longitude reason=NaN is not a finite number/],
    ["longitude Infinity", point(1, Infinity), /field=position.longitude/],
    ["longitude 180.5", point(1, 180.5), /field=position.longitude/],
    ["negative accuracy", { accuracyMetres: -1 }, /field=accuracyMetres/],
    ["infinite accuracy", { accuracyMetres: Infinity }, /field=accuracyMetres/],
    ["negative speed", { speed: -0.1 }, /field=speed/],
    ["heading 360", { heading: 360 }, /field=heading reason=360 is outside 0 to below 360/],
    ["speed −Infinity", { speed: -Infinity }, /field=speed/],
    ["empty driver id", { driverId: "" }, /field=driverId reason=empty/],
    ["empty event id", { eventId: "" }, /field=eventId/],
    ["driver id of 129 characters", { driverId: "x".repeat(129) }, /field=driverId reason=129 characters, at most 128/],
  ];
  test.each(badLocations)("are VALIDATION on both ways: a location with %s", (_name, patch, message) => {
    refuses(() => serdes.driverLocations.validate(location(patch)), "VALIDATION", message);
    const { type, id } = foreign.get("driverLocations") ?? expect.fail();
    refuses(whole(serdes.driverLocations, frame(id, type.toBuffer(location(patch)))), "VALIDATION", message);
  });

  const badOrders: readonly (readonly [string, Patch, RegExp])[] = [
    ["a negative price", { priceMinor: -1 }, /field=priceMinor/],
    ["an unknown currency", { currency: "XYZ" }, /field=currency reason="XYZ" is not known/],
    ["a currency in lower case", { currency: "eur" }, /field=currency/],
    ["version 0", { version: 0 }, /field=version/],
    ["65 requirements", { requirements: Array.from({ length: 65 }, () => "bag") }, /field=requirements reason=65 items/],
    ["an empty requirement", { requirements: [""] }, /field=requirements\[\]/],
    ["a pickup beyond the pole", { pickup: { latitude: 100, longitude: 0 } }, /field=pickup.latitude/],
  ];
  test.each(badOrders)("are VALIDATION on both ways: an order with %s", (_name, patch, message) => {
    refuses(() => serdes.orders.validate(order(patch)), "VALIDATION", message);
    const { type, id } = foreign.get("orders") ?? expect.fail();
    refuses(whole(serdes.orders, frame(id, type.toBuffer({ "dispatch.v1.OrderPlaced": order(patch) }))), "VALIDATION", message);
  });

  test("are VALIDATION where Avro itself could not carry them: a price in fractions or beyond 2^52, a capacity of none", () => {
    refuses(() => serdes.orders.validate(order({ priceMinor: 9.99 })), "VALIDATION", /field=priceMinor reason=9.99 is not an integer/);
    refuses(() => serdes.orders.validate(order({ priceMinor: 2 ** 53 })), "VALIDATION", /field=priceMinor/);
    refuses(() => serdes.orders.validate(order({ priceMinor: "9" })), "VALIDATION", /field=priceMinor/);
    refuses(() => serdes.driverEvents.validate(shift({ capacity: 0 })), "VALIDATION", /field=capacity/);
    refuses(() => serdes.driverEvents.validate(shift({ vehicle: "boat" })), "VALIDATION", /field=vehicle/);
  });

  test("do not keep good ones of the foreign writer from being read", () => {
    const { type, id } = foreign.get("orders") ?? expect.fail();
    const bytes = frame(id, type.toBuffer({ "dispatch.v1.OrderPlaced": order() }));
    expect(whole(serdes.orders, bytes)()).toEqual(order());
  });
});
