import { protocolErrorsCodesById } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { CONCURRENT_TRANSACTIONS, nameOfCode, reactionTo, UNSTABLE_OFFSET_COMMIT } from "./error-codes.ts";

test("every code that the wire layer knows has its name and a reaction here", () => {
  for (const [code, name] of Object.entries(protocolErrorsCodesById)) expect(nameOfCode(Number(code))).toBe(`${name} (${code})`);
});

test("a code that is not known stops", () => {
  expect(reactionTo(9999)).toBe("stop");
  expect(nameOfCode(9999)).toBe("an unknown code (9999)");
});

test.each([
  [0, "none"],
  [46, "done"],
  [3, "refresh"],
  [6, "refresh"],
  [15, "refresh"],
  [16, "refresh"],
  [100, "refresh"],
  [14, "retry"],
  [19, "retry"],
  [CONCURRENT_TRANSACTIONS, "retry"],
  [UNSTABLE_OFFSET_COMMIT, "retry"],
  [22, "rejoin"],
  [25, "rejoin"],
  [27, "rejoin"],
  [45, "new-producer"],
  [47, "new-producer"],
  [90, "new-producer"],
  [120, "new-producer"],
  [10, "refuse"],
  [32, "refuse"],
  [87, "refuse"],
  [29, "stop"],
  [53, "stop"],
  [-1, "stop"],
] as const)("code %i: %s", (code, reaction) => {
  expect(reactionTo(code)).toBe(reaction);
});
