import { join } from "node:path";
import { expect, test } from "vitest";
import { playMdrpDay } from "#cli";
import { policies } from "#topologies";
import { playQuickDay } from "./quick-day.ts";

const data = join("world", "fixtures", "tiny");

test("a quick day decides what the day through log and topologies decides", async () => {
  for (const [name, noisy] of [
    ["batch-matching", false],
    ["open-plan", false],
    ["open-plan", true],
  ] as const) {
    const policy = policies[name]!;
    // Without tries nothing is drawn by lot, which follows from the cell's name.
    const parameters = name === "open-plan" ? { tries: 0 } : {};
    const quick = playQuickDay({ data, policy, parameters, seed: 1, noisy });
    const whole = await playMdrpDay({ data, policy: name, parameters, noisy });
    expect(quick.feasible && whole.feasible && whole.clean, name).toBe(true);
    expect(quick.metrics, name).toEqual(whole.metrics);
  }
}, 180_000);
