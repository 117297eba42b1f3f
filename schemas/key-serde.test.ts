import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idSerde } from "./key-serde.ts";

const invalid = expect.objectContaining({ name: "SerdeError", code: "INVALID_KEY" });

describe("keys of topics", () => {
  test("are the id as UTF-8 and come back as they were", () => {
    const target = Buffer.alloc(400);
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 60 }), fc.nat(30), (id, at) => {
        const end = idSerde.encode(id, target, at);
        expect(target.subarray(at, end)).toEqual(Buffer.from(id));
        expect(idSerde.decode(target, at, end)).toBe(id);
      }),
    );
  });

  test("ask for the room they need", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), fc.nat(20), (id, room) => {
        const target = Buffer.alloc(room, 0xee);
        expect(idSerde.encode(id, target, 3)).toBe(3 + Buffer.byteLength(id));
      }),
    );
  });

  test.each([
    ["null", null],
    ["a number", 5],
    ["nothing", undefined],
    ["an empty string", ""],
    ["10 kB", "x".repeat(10_000)],
    ["257 bytes", "x".repeat(257)],
    ["129 characters of two bytes", "ü".repeat(129)],
    ["a lone surrogate", "a\udc00"],
  ])("are INVALID_KEY when written as %s", (_name, key) => {
    expect(() => idSerde.encode(key as string, Buffer.alloc(20_000), 0)).toThrow(invalid);
    expect(() => idSerde.encode(key as string, Buffer.alloc(0), 0)).toThrow(invalid);
  });

  test.each([
    ["a null key", Buffer.alloc(0)],
    ["10 kB", Buffer.alloc(10_000, 97)],
    ["257 bytes", Buffer.alloc(257, 97)],
    ["bad UTF-8", Buffer.from([97, 0xff])],
    ["half a character", Buffer.from([0xc3])],
  ])("are INVALID_KEY when read from %s", (_name, bytes) => {
    expect(() => idSerde.decode(bytes, 0, bytes.length)).toThrow(invalid);
  });

  test("may be 256 bytes long and begin with a byte order mark", () => {
    const target = Buffer.alloc(256);
    for (const id of ["x".repeat(256), "ü".repeat(128), "\ufeffid"])
      expect(idSerde.decode(target, 0, idSerde.encode(id, target, 0))).toBe(id);
  });
});
