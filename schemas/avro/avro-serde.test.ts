import avsc from "avsc";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DriverEvent } from "../driver-events.ts";
import { memoryRegistry } from "../registry/memory-registry.ts";
import { createSerdes, storeSerde } from "../serdes.ts";
import { subjects, topicSchemas } from "../subjects.ts";
import { arbitraryOf } from "../testing/arbitraries.ts";
import { type ValueSerde, avroSerde } from "./avro-serde.ts";
import type { AvroSchema } from "./schema.ts";
import { schemaText } from "./schema-text.ts";

const registry = memoryRegistry();

const serdeOf = (subject: string, schema: AvroSchema): ValueSerde<unknown> => avroSerde({ subject, schema, registry });

/** The frame alone in a buffer of its size. */
function encoded<T>(serde: ValueSerde<T>, value: T): Buffer {
  const target = Buffer.alloc(8_192);
  return Buffer.from(target.subarray(0, serde.encode(value, target, 0)));
}

const location = {
  type: "DriverLocation",
  eventId: "e-1",
  driverId: "d-1",
  position: { latitude: 48.1, longitude: 11.5 },
  accuracyMetres: 5,
  speed: 7.5,
  heading: 270,
  recordedAt: 1_700_000_000_000,
} as const;

describe.each(subjects)("$topic", ({ subject, schema }) => {
  const serde = serdeOf(subject, schema);
  const anyValue = arbitraryOf(schema);

  test("gives back every value as it was, from the middle of other bytes", () => {
    const target = Buffer.alloc(16_384);
    fc.assert(
      fc.property(anyValue, fc.nat(50), (value, at) => {
        target.fill(0xee);
        const end = serde.encode(value, target, at);
        expect(serde.decode(target, at, end)).toEqual(value);
        expect(target.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
        expect(target.subarray(end, end + 64).every((byte) => byte === 0xee)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("asks for exactly the room that a value needs, whatever the room it was given", () => {
    fc.assert(
      fc.property(anyValue, fc.nat(40), fc.nat(), (value, at, seed) => {
        const bytes = encoded(serde, value).length;
        const room = at + (seed % (bytes + 1));
        const target = Buffer.alloc(Math.max(room, at));
        const end = serde.encode(value, target, at);
        expect(end).toBe(at + bytes);
        if (room >= at + bytes) expect(serde.decode(target, at, end)).toEqual(value);
      }),
      { numRuns: 100 },
    );
  });

  test("never fails on changed bytes but with a SerdeError, and what still decodes is valid", () => {
    fc.assert(
      fc.property(anyValue, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(3), (value, changes, cut) => {
        const bytes = encoded(serde, value);
        for (const [at, byte] of changes) bytes[5 + (at % Math.max(1, bytes.length - 5))] = byte;
        const end = Math.max(0, bytes.length - cut);
        const outcome = attempt(() => serde.decode(bytes, 0, end));
        if (outcome.error === undefined) expect(() => serde.validate(outcome.value)).not.toThrow();
        else expect(outcome.error).toMatchObject({ name: "SerdeError" });
      }),
      { numRuns: 300 },
    );
  });
});

function attempt(action: () => unknown): { readonly value?: unknown; readonly error?: unknown } {
  try {
    return { value: action() };
  } catch (error) {
    return { error };
  }
}

describe("the frame", () => {
  test("is byte 0, the schema id in four bytes, then the body that Avro's own library writes", () => {
    const serdes = createSerdes(registry);
    const bytes = encoded(serdes.driverLocations, location);
    const schema = JSON.parse(schemaText(subjects[0]?.schema ?? "null")) as avsc.Schema;
    expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 1]);
    expect(bytes.subarray(5)).toEqual(avsc.Type.forSchema(schema).toBuffer(location));
  });

  test("carries the union branch of the value's kind, as Avro's own library does", () => {
    const { orders } = topicSchemas;
    const wrapped = avsc.Type.forSchema(JSON.parse(schemaText(orders.schema)) as avsc.Schema, { wrapUnions: true });
    fc.assert(
      fc.property(arbitraryOf(orders.schema), (value) => {
        const { type, ...fields } = value;
        expect(encoded(serdeOf(orders.subject, orders.schema), value).subarray(5)).toEqual(
          wrapped.toBuffer({ [`dispatch.v1.${type}`]: fields }),
        );
      }),
    );
  });

  test("names the schema of the writer: ids follow the order of the topics", () => {
    expect(subjects.map(({ subject, schema }) => registry.register(subject, schemaText(schema)))).toEqual(
      subjects.map((_, index) => index + 1),
    );
  });
});

describe("strings and numbers", () => {
  const serde = storeSerde({
    name: "edges",
    schema: {
      type: "record",
      name: "Edges",
      fields: [
        { name: "text", type: "string" },
        { name: "long", type: "long" },
        { name: "map", type: { type: "map", values: "double" } },
      ],
    },
    registry,
  });
  const edges = [0, 1, 63, 64, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 52]
    .flatMap((value) => [value, -value - 1])
    .filter((value) => value >= -(2 ** 52));

  test("survive at the edges of their encodings", () => {
    const texts = [
      "",
      "\u007f",
      "\u0080",
      "x\u0080",
      "\u07ff\u0800",
      "x".repeat(63),
      "x".repeat(64),
      `${"x".repeat(63)}ü`,
      "😀".repeat(16),
      "ü".repeat(200),
    ];
    for (const text of texts)
      for (const long of edges) {
        const bytes = encoded(serde, { text, long, map: {} });
        expect(serde.decode(bytes, 0, bytes.length)).toEqual({ text, long: long + 0, map: {} });
      }
  });

  test("are refused beyond them", () => {
    for (const long of [2 ** 52 + 1, -(2 ** 52) - 1, Infinity, Number.NaN, 0.5])
      expect(() => serde.validate({ text: "", long, map: {} }), `${long}`).toThrow("field=long");
    for (const value of [Infinity, -Infinity, Number.NaN, "1", null])
      expect(() => serde.validate({ text: "", long: 0, map: { value } }), `${value}`).toThrow("field=map{}");
    for (const key of ["__proto__", "constructor", "\ud800"])
      expect(() => serde.validate({ text: "", long: 0, map: Object.fromEntries([[key, 1]]) })).toThrow("forbidden");
  });
});

describe("decoded values", () => {
  test("have `type` first and always the same shape", () => {
    const serde = createSerdes(registry).driverLocations;
    const one = serde.decode(encoded(serde, location), 0, encoded(serde, location).length);
    const other = serde.decode(encoded(serde, { ...location, heading: 1 }), 0, encoded(serde, { ...location, heading: 1 }).length);
    expect(Object.keys(one)).toEqual(Object.keys(location));
    expect(Object.keys(one)[0]).toBe("type");
    expect(Object.getPrototypeOf(one)).toBe(Object.getPrototypeOf(other));
    expect(JSON.stringify(one)).toBe(JSON.stringify(location));
    expect(structuredClone(one)).toEqual(location);
    expect({ ...one }).toEqual(location);
  });

  test("share no bytes with the block that they came from", () => {
    const serde = storeSerde({
      name: "recent",
      schema: { type: "record", name: "Recent", fields: [{ name: "bytes", type: "bytes" }] },
      registry,
    });
    const frame = encoded(serde, { bytes: Buffer.from("abc") });
    const { bytes } = serde.decode(frame, 0, frame.length);
    frame.fill(0);
    expect(bytes.toString()).toBe("abc");
  });

  test("hold values of a store: nested kinds, maps, optional parts", () => {
    const schema = {
      type: "record",
      name: "StoredPlan",
      fields: [
        { name: "driver", type: ["null", { type: "record", name: "Driver", tagged: true, fields: [{ name: "id", type: "string" }] }] },
        { name: "scores", type: { type: "map", values: "double" } },
        { name: "cells", type: { type: "array", items: ["null", "string", "int"] } },
      ],
    } as const;
    const serde = storeSerde({ name: "plans", schema, registry });
    for (const driver of [null, { type: "Driver", id: "d" } as const]) {
      const value = { driver, scores: { a: 1.5, "ü b": -2 }, cells: ["x", null, 3] };
      const bytes = encoded(serde, value);
      expect(serde.decode(bytes, 0, bytes.length)).toEqual(value);
    }
    expect(serde.id).toBe("avro:plans-value");
  });
});

function kind<const Name extends string>(name: Name) {
  return { type: "record", name, tagged: true, fields: [{ name: "id", type: "string" }] } as const;
}

describe("data of an older writer", () => {
  const before = {
    type: "record",
    name: "Seen",
    tagged: true,
    fields: [
      { name: "id", type: "string" },
      { name: "gone", type: { type: "array", items: "string" } },
      { name: "count", type: "int" },
    ],
  } as const;
  const after = {
    type: "record",
    name: "Seen",
    tagged: true,
    fields: [
      { name: "count", type: "long" },
      { name: "id", type: "string" },
      { name: "note", type: ["null", "string"], default: null },
      { name: "level", type: "int", default: 7 },
    ],
  } as const;

  test("is read by its own schema: fields gone are skipped, new ones have their default, numbers widen", () => {
    const own = memoryRegistry();
    const writer = storeSerde({ name: "seen", schema: before, registry: own });
    const reader = storeSerde({ name: "seen", schema: after, registry: own });
    const bytes = encoded(writer, { type: "Seen", id: "x", gone: ["a", "b"], count: 3 });
    expect(reader.decode(bytes, 0, bytes.length)).toEqual({ type: "Seen", count: 3, id: "x", note: null, level: 7 });
    expect(own.all().filter(({ subject }) => subject === "seen-value")).toMatchObject([{ version: 1 }, { version: 2 }]);
  });

  test("of a newer writer is read as long as its kind is known", () => {
    const [started, ended] = [kind("Started"), kind("Ended")];
    const own = memoryRegistry();
    const old = storeSerde({ name: "kinds", schema: [started], registry: own });
    const newer = storeSerde({ name: "kinds", schema: [started, ended], registry: own });
    const known = encoded(newer, { type: "Started", id: "x" });
    expect(old.decode(known, 0, known.length)).toEqual({ type: "Started", id: "x" });
    const unknown = encoded(newer, { type: "Ended", id: "x" });
    expect(() => old.decode(unknown, 0, unknown.length)).toThrow(expect.objectContaining({ code: "SCHEMA_INCOMPATIBLE" }));
  });

  test("cannot pass for another kind by a field called type", () => {
    const own = memoryRegistry();
    const spoof = {
      type: "record",
      name: "Spoof",
      fields: [
        { name: "type", type: "string" },
        { name: "id", type: "string" },
      ],
    } as const;
    const liar = avroSerde({ subject: "liar", schema: spoof, registry: own });
    const bytes = encoded(liar, { type: "Admin", id: "x" });
    const honest = avroSerde({ subject: "honest", schema: kind("Spoof"), registry: own });
    expect(() => honest.decode(bytes, 0, bytes.length)).toThrow(expect.objectContaining({ code: "SCHEMA_INCOMPATIBLE" }));
  });
});

describe("values that do not fit", () => {
  const serdes = createSerdes(registry);
  const target = Buffer.alloc(4_096);

  test.each([
    ["an unknown kind", { type: "Nonsense" }, "", "of no kind"],
    ["no value", undefined, "", "of no kind"],
    ["a missing field", { type: "ShiftEnded", eventId: "e", driverId: "d" }, "occurredAt", "not an integer"],
    ["a fraction", { type: "ShiftEnded", eventId: "e", driverId: "d", occurredAt: 1.5 }, "occurredAt", "not an integer"],
    ["an empty id", { type: "ShiftEnded", eventId: "e", driverId: "", occurredAt: 1 }, "driverId", "empty"],
    ["a lone surrogate", { type: "ShiftEnded", eventId: "e", driverId: "\ud800", occurredAt: 1 }, "driverId", "Unicode"],
    ["a number for a string", { type: "ShiftEnded", eventId: "e", driverId: 5, occurredAt: 1 }, "driverId", "not a string"],
    ["inherited fields only", Object.create({ type: "ShiftEnded" }), "eventId", "not a string"],
  ])("are refused by encode and validate alike: %s", (_name, value: unknown, field, reason) => {
    const refusal = expect.objectContaining({ code: "VALIDATION", message: expect.stringContaining(`field=${field} reason=`) as string });
    expect(() => serdes.driverEvents.encode(value as DriverEvent, target, 0)).toThrow(refusal);
    expect(() => serdes.driverEvents.validate(value)).toThrow(reason);
  });

  test("are refused when they would exceed what a reader accepts", () => {
    const small = avroSerde({ subject: "small", schema: "string", registry, limits: { bytesMax: 100 } });
    expect(small.encode("x".repeat(90), target, 0)).toBe(97);
    expect(() => small.encode("x".repeat(96), target, 0)).toThrow(expect.objectContaining({ code: "LIMIT_EXCEEDED" }));
  });
});
