import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "../errors.ts";
import { JSON_DEPTH_MAX, parseStrictJson } from "./strict-json.ts";

function codeOf(text: string): string {
  try {
    parseStrictJson(text);
    return "accepted";
  } catch (error) {
    return error instanceof ApiError ? error.code : "another error";
  }
}

describe("JSON from strangers", () => {
  test("is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        fc.pre(!/"(?:__proto__|constructor|prototype)"/.test(text));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test("is refused for a key twice, however it is written, in whatever object", () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '[{"b":{"a":{},"c":[1,{"x":1}],"a":3}}]',
      '{"a":"}{,\\"","b":1,"a":2}',
      '{"":1,"":2}',
    ])
      expect([text, codeOf(text)]).toEqual([text, "MALFORMED_BODY"]);
    for (const text of ['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '{"a":"a","b":"a"}', '["a","a"]', '{"a":"\\"a\\":1"}'])
      expect([text, codeOf(text)]).toEqual([text, "accepted"]);
  });

  test("a key that is repeated at random is always found", () => {
    const key = fc.string({ minLength: 1, maxLength: 6 }).filter((name) => !["__proto__", "constructor", "prototype"].includes(name));
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 6 }), fc.nat(), fc.jsonValue({ maxDepth: 2 }), (keys, pick, value) => {
        fc.pre(!/"(?:__proto__|constructor|prototype)"/.test(JSON.stringify(value)));
        const twice = [...keys, keys[pick % keys.length] as string];
        const text = `{${twice.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
        expect(codeOf(text)).toBe("MALFORMED_BODY");
        expect(codeOf(`{${keys.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`)).toBe("accepted");
      }),
    );
  });

  test("is refused for keys that reach a prototype, escaped or not, and taken where they are values", () => {
    for (const text of ['{"__proto__":{"x":1}}', '[{"a":{"constructor":1}}]', '{"\\u005f_proto__":1}', '{"prototype":1}'])
      expect([text, codeOf(text)]).toEqual([text, "FORBIDDEN_KEY"]);
    expect(codeOf('{"a":"__proto__"}')).toBe("accepted");
  });

  test("is refused beyond its depth before anything is built, at ten thousand levels in no time", () => {
    expect(codeOf("[".repeat(JSON_DEPTH_MAX) + "]".repeat(JSON_DEPTH_MAX))).toBe("accepted");
    for (const depth of [JSON_DEPTH_MAX + 1, 10_000]) expect(codeOf("[".repeat(depth) + "]".repeat(depth))).toBe("LIMIT_EXCEEDED");
    expect(codeOf('{"a":'.repeat(10_000))).toBe("LIMIT_EXCEEDED");
  });

  test("what is no JSON is malformed", () => {
    for (const text of ["", "{", "nul", '{"a":}', "{'a':1}", '{"a":1,}', "NaN", '"a', '{"a', "]", '{"a\\'])
      expect(codeOf(text)).toBe("MALFORMED_BODY");
  });
});
