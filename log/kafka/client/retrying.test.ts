import { expect, test } from "vitest";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { backoffMs, retrying } from "./retrying.ts";
import { WireError } from "./wire-error.ts";

const CONCURRENT = 51;
const NOT_LEADER = 6;

function scripted(answers: readonly (number | Error)[]) {
  const left = [...answers];
  return async (): Promise<{ readonly code: number; readonly value: string }> => {
    const next = left.shift() ?? 0;
    if (next instanceof Error) throw next;
    return { code: next, value: `left ${left.length}` };
  };
}

test("tries again on passing codes and lost answers, and refreshes where it helps", async () => {
  let refreshed = 0;
  const surroundings = hurriedSurroundings();
  const attempts = { what: "x", msMax: 10_000, refresh: async () => void refreshed++ };
  const lost = new WireError("no-answer", "lost", undefined);
  expect(await retrying(attempts, surroundings, scripted([CONCURRENT, NOT_LEADER, lost, 0]))).toEqual({ code: 0, value: "left 0" });
  expect(refreshed).toBe(2);
  expect(surroundings.pauses).toHaveLength(3);
});

test("markers that are being written are waited for in milliseconds, a leader that is being elected longer and longer", async () => {
  const attempts = { what: "x", msMax: 60_000, refresh: async () => {} };
  for (const [code, most] of [
    [CONCURRENT, 20],
    [88, 20],
    [NOT_LEADER, 1_000],
  ] as const) {
    const surroundings = hurriedSurroundings(0.999);
    await retrying(attempts, surroundings, scripted(Array.from({ length: 12 }, () => code)));
    expect(surroundings.pauses).toHaveLength(12);
    expect(Math.max(...surroundings.pauses)).toBeLessThanOrEqual(most);
    expect(Math.max(...surroundings.pauses)).toBeGreaterThan(most * 0.9);
  }
});

test("leaves every other code to the caller at once", async () => {
  const surroundings = hurriedSurroundings();
  for (const code of [22, 47, 10, 29, 9999])
    expect((await retrying({ what: "x", msMax: 1000, refresh: async () => {} }, surroundings, scripted([code]))).code).toBe(code);
  expect(surroundings.pauses).toEqual([]);
});

test("stops at the deadline and says what the last trouble was", async () => {
  const surroundings = hurriedSurroundings();
  const attempts = { what: "for a leader", msMax: 5000, refresh: async () => {} };
  await expect(retrying(attempts, surroundings, scripted(Array.from({ length: 1000 }, () => NOT_LEADER)))).rejects.toThrow(
    /for a leader within 5000 ms: NOT_LEADER_OR_FOLLOWER \(6\)/,
  );
  expect(surroundings.now()).toBeLessThanOrEqual(5000);
});

test("does not try again where the login is refused, nor where it is closed, nor after a bug", async () => {
  const surroundings = hurriedSurroundings();
  const attempts = { what: "x", msMax: 5000, refresh: async () => {} };
  await expect(retrying(attempts, surroundings, scripted([new WireError("refused", "no", undefined)]))).rejects.toMatchObject({
    code: "LOG_UNAVAILABLE",
  });
  await expect(retrying({ ...attempts, stopped: () => true }, surroundings, scripted([NOT_LEADER]))).rejects.toMatchObject({
    code: "LOG_UNAVAILABLE",
  });
  await expect(retrying(attempts, surroundings, scripted([new TypeError("bug")]))).rejects.toThrow(TypeError);
  expect(surroundings.pauses).toEqual([]);
});

test("pauses lie between 1 ms and a bound that doubles up to its cap", () => {
  for (let tries = 0; tries < 60; tries++)
    for (const short of [true, false]) {
      expect(backoffMs(tries, 0, short)).toBe(1);
      expect(backoffMs(tries, 0.999, short)).toBeLessThanOrEqual(short ? 20 : 1000);
    }
  expect(backoffMs(3, 1, false)).toBe(200);
});
