import { expect, test } from "vitest";
import { defaultPolicy } from "../default-policy.ts";
import { TopologiesError } from "../errors.ts";
import { policies } from "../matching/policies/policies.ts";
import { checkPolicy } from "./check-policy.ts";

const known = Object.keys(policies);

test("the default policy is valid, and names a policy that is deployed", () => {
  expect(() => checkPolicy("default", defaultPolicy, known)).not.toThrow();
});

test("a policy that makes no sense is refused with field, value and range", () => {
  const wrong: [Partial<typeof defaultPolicy>, string][] = [
    [{ tickMs: 0 }, "tickMs is 0"],
    [{ dispatchResolution: 9 }, "dispatchResolution is 9"],
    [{ haloMetres: -1 }, "haloMetres is -1"],
    [{ zone: "elsewhere" }, "its key is default"],
    [{ policy: "genius" }, "the policy genius"],
  ];
  for (const [changes, message] of wrong) {
    const check = () => checkPolicy("default", { ...defaultPolicy, ...changes }, known);
    expect(check).toThrow(TopologiesError);
    expect(check).toThrow(message);
  }
});
