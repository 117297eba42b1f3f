import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StreamsError } from "../errors.ts";
import { USER_DATA_BYTES_MAX } from "./defaults.ts";
import { decodePart, decodeUserData, encodePart, encodeUserData, NOTHING } from "./group-bytes.ts";
import type { MemberPart, MemberState } from "./group-contract.ts";

const task = fc.record({ subtopology: fc.nat({ max: 300 }), partition: fc.nat({ max: 100_000 }) });
const tasks = fc.array(task, { maxLength: 20 });
const endpoint = fc.option(
  fc.record({ host: fc.string({ maxLength: 60, unit: "grapheme-ascii" }), port: fc.integer({ min: 1, max: 65_535 }) }),
  {
    nil: undefined,
  },
);
const state: fc.Arbitrary<Omit<MemberState, "memberId">> = fc.record({
  instanceId: fc.string({ maxLength: 40, unit: "grapheme-ascii" }),
  endpoint,
  fingerprint: fc.nat({ max: 0xffff_ffff }),
  generation: fc.integer({ min: -1, max: 2_000_000_000 }),
  active: tasks,
  standby: tasks,
  stops: fc.boolean(),
  positions: fc.array(fc.record({ task, position: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }), { maxLength: 20 }),
});
const part: fc.Arbitrary<MemberPart> = fc
  .array(fc.record({ instanceId: fc.string({ maxLength: 20, unit: "grapheme-ascii" }), endpoint }), { minLength: 1, maxLength: 5 })
  .chain((instances) => {
    const index = fc.nat({ max: instances.length - 1 });
    const owner = fc.record({
      subtopology: fc.nat({ max: 9 }),
      partition: fc.nat({ max: 99 }),
      active: fc.option(index, { nil: undefined }),
      standbys: fc.array(index, { maxLength: 3 }),
    });
    const owners = fc.record({ instances: fc.constant(instances), tasks: fc.array(owner, { maxLength: 20 }) });
    return fc.record({
      active: tasks,
      standby: tasks,
      warmUps: tasks,
      handsOver: fc.boolean(),
      stops: fc.boolean(),
      refused: fc.boolean(),
      owners,
      members: fc.array(fc.string({ maxLength: 30, unit: "grapheme" }), { maxLength: 20 }),
      fencesGone: fc.boolean(),
    });
  });

const later = (bytes: Uint8Array): Uint8Array => Uint8Array.of(...bytes, 1, 2, 3);

const byPosition = (said: Omit<MemberState, "memberId">): unknown => ({
  ...said,
  positions: said.positions.toSorted((a, b) => b.position - a.position),
});

describe("bytes of a group", () => {
  test("what a member says and what it is given come through", () => {
    fc.assert(
      fc.property(state, part, (said, given) => {
        expect(decodeUserData("m", encodeUserData(said))).toEqual({ memberId: "m", ...(byPosition(said) as object) });
        expect(decodePart(encodePart(given))).toEqual(given);
      }),
    );
  });

  test("whatever bytes come, they are read or refused, and nothing large is made for them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, known) => {
        const read = Uint8Array.of(...(known ? [1] : []), ...bytes);
        for (const decode of [() => decodeUserData("m", read), () => decodePart(read)]) {
          try {
            decode();
          } catch (error) {
            expect(error).toBeInstanceOf(StreamsError);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("what a later version adds at the end is skipped; another version is refused with the remedy", () => {
    fc.assert(
      fc.property(state, part, (said, given) => {
        expect(decodeUserData("m", later(encodeUserData(said))).active).toEqual(said.active);
        expect(decodePart(later(encodePart(given)))).toEqual(given);
      }),
    );
    expect(() => decodeUserData("m", Uint8Array.of(2))).toThrow(/finish the upgrade/);
  });

  test("a part from a leader that does not name the members yet says so", () => {
    fc.assert(
      fc.property(part, (given) => {
        const bytes = encodePart({ ...given, members: [] });
        expect(decodePart(bytes.subarray(0, -1))).toEqual({ ...given, members: [] });
      }),
    );
  });

  test("the names of the members take a few bytes each", () => {
    const members = Array.from({ length: 64 }, (_, index) => `dispatch-instance-${String(index >> 2).padStart(2, "0")}-${index & 3}`);
    expect(encodePart({ ...NOTHING, members }).length - encodePart(NOTHING).length).toBeLessThan(5 * members.length);
  });

  test("too many positions are cut to those that are furthest; too many claims are refused", () => {
    const said = { instanceId: "i", endpoint: undefined, fingerprint: 0, generation: 0, active: [], standby: [], stops: false };
    const positions = Array.from({ length: 20_000 }, (_, partition) => ({ task: { subtopology: 0, partition }, position: partition }));
    const bytes = encodeUserData({ ...said, positions });
    expect(bytes.length).toBeLessThanOrEqual(USER_DATA_BYTES_MAX);
    const kept = decodeUserData("m", bytes).positions;
    expect(kept.length).toBeGreaterThan(2_000);
    expect(kept.at(0)?.position).toBe(19_999);
    const active = Array.from({ length: 40_000 }, (_, partition) => ({ subtopology: 0, partition }));
    expect(() => encodeUserData({ ...said, active, positions: [] })).toThrow(/fewer partitions/);
  });
});
