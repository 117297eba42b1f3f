import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from "./consumer-protocol.ts";

test("what a member says of itself comes through, whatever it is", () => {
  const card = fc.record({
    memberId: fc.string(),
    bornAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    joins: fc.nat(),
    userData: fc.uint8Array({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(card, fc.array(fc.string({ minLength: 1 }), { maxLength: 4 }), (said, topics) => {
      expect(decodeSubscription(encodeSubscription(topics, said))).toEqual(said);
    }),
  );
});

test("an assignment comes through, and none is empty", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (part) => {
      expect(decodeAssignment(encodeAssignment(part))).toEqual(part);
    }),
  );
  expect(decodeAssignment(Buffer.alloc(0))).toEqual(new Uint8Array(0));
});

test("a member of another kind is told, not misread", () => {
  // A plain consumer: version 3, one topic, no user data.
  const plain = Buffer.from([0, 3, 0, 0, 0, 1, 0, 1, 97, 255, 255, 255, 255, 0, 0, 0, 0]);
  expect(() => decodeSubscription(plain)).toThrow(/not of this kind/);
  expect(() => decodeSubscription(Buffer.from([0, 1]))).toThrow(/not of this kind/);
});
