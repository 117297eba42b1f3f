import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextApplicationState, type ApplicationEvent, type ApplicationState } from "./application-life.ts";
import { nextThreadState, type ThreadEvent } from "./thread-life.ts";
import type { StreamThreadState } from "./thread.ts";

const threadEvents: readonly ThreadEvent[] = ["start", "opened", "lost", "stop", "drained", "fatal"];

function walk(events: readonly ThreadEvent[]): readonly StreamThreadState[] {
  const states: StreamThreadState[] = ["created"];
  for (const event of events) {
    const next = nextThreadState(states.at(-1) ?? "created", event);
    if (next !== null) states.push(next);
  }
  return states;
}

describe("the life of a thread, walked at random", () => {
  test("never comes back from stopped or failed, runs only after it started, and drains before it stops", () => {
    const property = fc.property(fc.array(fc.constantFrom(...threadEvents), { maxLength: 30 }), (events) => {
      const states = walk(events);
      for (let at = 1; at < states.length; at++) {
        const [before, after] = [states[at - 1], states[at]];
        if (before === "stopped" || before === "failed") expect(after).toBe(before);
        if (after === "running") expect(before).toBe("starting");
        if (after === "stopped" && before !== "stopped") expect(["created", "draining"]).toContain(before);
        if (before === "draining") expect(["draining", "stopped", "failed"]).toContain(after);
        if (after === "created") expect(before).toBe("created");
      }
    });
    fc.assert(property, { seed: 20_04 });
  });

  test("can be stopped and can fail in every state, and each state is reached", () => {
    const reached = new Set<StreamThreadState>(["created"]);
    for (const state of reached)
      for (const event of threadEvents) {
        const next = nextThreadState(state, event);
        if (next !== null) reached.add(next);
      }
    expect([...reached].sort()).toEqual(["created", "draining", "failed", "running", "starting", "stopped"]);
    for (const state of reached) expect(nextThreadState(state, "stop")).not.toBeNull();
    for (const state of reached) if (state !== "stopped") expect(nextThreadState(state, "fatal")).toBe("failed");
  });
});

describe("the life of an application, walked at random", () => {
  const events: readonly ApplicationEvent[] = ["start", "started", "stop", "ended", "fail"];

  test("never comes back from stopped or failed, and every thread that ends late finds a state that takes it", () => {
    const property = fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (taken) => {
      let state: ApplicationState = "created";
      for (const event of taken) {
        const next: ApplicationState | null = nextApplicationState(state, event);
        if (state === "stopped" || state === "failed") expect(next === null || next === state).toBe(true);
        state = next ?? state;
      }
    });
    fc.assert(property, { seed: 20_05 });
    for (const state of ["stopping", "stopped", "failed"] as const) expect(nextApplicationState(state, "fail")).not.toBeNull();
  });
});
