import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Serde } from "./serde.ts";
import { bytesSerde, jsonSerde, numberKey, numberSerde, stringKey, stringSerde } from "./serdes.ts";

function encoded<T>(serde: Serde<T>, value: T): Buffer {
  const target = Buffer.alloc(4_096);
  return target.subarray(0, serde.encode(value, target, 0));
}

const string = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ maxLength: 60 }));
const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 1, -1, 2 ** 53, -(2 ** 53), 5e-324),
);

/** Each serde with the values that it takes. */
const cases: readonly (readonly [string, Serde<never>, fc.Arbitrary<never>])[] = [
  ["stringKey", stringKey as Serde<never>, string.filter((text) => text.isWellFormed()) as fc.Arbitrary<never>],
  ["numberKey", numberKey as Serde<never>, finite.map((value) => value + 0) as fc.Arbitrary<never>],
  ["stringSerde", stringSerde as Serde<never>, string.filter((text) => text.isWellFormed()) as fc.Arbitrary<never>],
  ["numberSerde", numberSerde as Serde<never>, fc.double() as fc.Arbitrary<never>],
  ["jsonSerde", jsonSerde() as Serde<never>, fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as never)],
  ["bytesSerde", bytesSerde as Serde<never>, fc.uint8Array({ maxLength: 60 }) as fc.Arbitrary<never>],
];

describe.each(cases)("%s", (_name, serde, values) => {
  test("gives back what it took, from the middle of a buffer, touching nothing around it", () => {
    fc.assert(
      fc.property(values, fc.nat(20), (value, at) => {
        const length = encoded(serde, value).length;
        const target = Buffer.alloc(at + length + 10, 0xee);
        const end = serde.encode(value, target, at);
        expect(end).toBe(at + length);
        const around = Buffer.concat([target.subarray(0, at), target.subarray(end)]);
        expect(around.every((byte) => byte === 0xee)).toBe(true);
        // Numbers as keys know no negative zero.
        expect(serde.decode(target, at, end)).toEqual(Object.is(value, -0) && serde.id === "f64-ordered" ? 0 : value);
      }),
    );
  });

  test("says what it needs where the target is too small", () => {
    fc.assert(
      fc.property(values, fc.nat(20), fc.nat(200), (value, at, size) => {
        const length = encoded(serde, value).length;
        const target = Buffer.alloc(Math.max(at, size));
        const end = serde.encode(value, target, at);
        if (at + length > target.length) expect(end).toBeGreaterThanOrEqual(at + length);
        else expect(end).toBe(at + length);
      }),
    );
  });
});

const codePoints = (text: string): string => Array.from(text, (character) => String(character.codePointAt(0)).padStart(7, "0")).join();
const sign = (value: number): number => Math.sign(value) + 0;

test("encoded strings sort by code point, encoded numbers by value", () => {
  fc.assert(
    fc.property(cases[0]![2] as fc.Arbitrary<string>, cases[0]![2] as fc.Arbitrary<string>, (a, b) => {
      const order = codePoints(a) < codePoints(b) ? -1 : codePoints(a) > codePoints(b) ? 1 : 0;
      expect(sign(Buffer.compare(encoded(stringKey, a), encoded(stringKey, b)))).toBe(order);
    }),
  );
  fc.assert(
    fc.property(finite, finite, (a, b) => {
      expect(sign(Buffer.compare(encoded(numberKey, a), encoded(numberKey, b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
    { numRuns: 500 },
  );
});

test("keys and values without an encoding are refused", () => {
  const target = Buffer.alloc(100);
  const refused = expect.objectContaining({ name: "SerdeError", code: "KEY_UNENCODABLE" });
  for (const value of ["\ud800", "a\udfffb", `${"x".repeat(50)}\ud800`]) expect(() => stringKey.encode(value, target, 0)).toThrow(refused);
  for (const value of [Number.NaN, Infinity, -Infinity, "1" as unknown as number])
    expect(() => numberKey.encode(value, target, 0)).toThrow(refused);
  expect(() => jsonSerde<undefined>().encode(undefined, target, 0)).toThrow(expect.objectContaining({ code: "VALUE_UNENCODABLE" }));
  for (const serde of [numberKey, numberSerde, jsonSerde()])
    expect(() => serde.decode(target, 0, 3)).toThrow(expect.objectContaining({ code: "ROW_UNDECODABLE" }));
});

test("decoded bytes are the caller's own", () => {
  const target = Buffer.from("abc");
  const value = bytesSerde.decode(target, 0, 3);
  target.fill(0);
  expect(Buffer.from(value).toString()).toBe("abc");
});
