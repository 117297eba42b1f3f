import { expect, test } from "vitest";
import { SharedControl } from "../shared-control.ts";
import { CommitLock, HalfDone } from "./commit-lock.ts";

const OTHER_THREAD = 7;

function lockOf(control: SharedControl, threadId = 1): { readonly lock: CommitLock; recovered: number; failRecovery: boolean } {
  const state = {
    recovered: 0,
    failRecovery: false,
    lock: new CommitLock({
      control,
      threadId,
      recover: () => {
        if (state.failRecovery) throw new Error("the disk cannot be read");
        state.recovered += 1;
      },
    }),
  };
  return state;
}

/** As if another thread held the lock. */
function hold(control: SharedControl): void {
  Atomics.store(control.words, control.lockIndex, OTHER_THREAD + 1);
}

test("a free lock runs the work at once and gives its result, also when the work throws", () => {
  const state = lockOf(new SharedControl());
  expect(state.lock.run(() => 5)).toBe(5);
  expect(() =>
    state.lock.run(() => {
      throw new Error("refused");
    }),
  ).toThrow("refused");
  expect(state.lock.run(() => 6)).toBe(6);
  expect(state.recovered).toBe(0);
});

test("a lock that is held is waited for without blocking the event loop", async () => {
  const control = new SharedControl();
  const state = lockOf(control);
  hold(control);
  const running = state.lock.run(() => "ran");
  expect(running).toBeInstanceOf(Promise);
  await new Promise(setImmediate);
  Atomics.store(control.words, control.lockIndex, 0);
  Atomics.notify(control.words, control.lockIndex);
  expect(await running).toBe("ran");
  expect(state.recovered).toBe(0);
});

test("a lock whose holder died is taken back, and the next holder recovers before its work", async () => {
  const control = new SharedControl();
  const [owner, state] = [lockOf(control, 0), lockOf(control)];
  hold(control);
  const running = state.lock.run(() => state.recovered);
  owner.lock.releaseThread(OTHER_THREAD + 1);
  expect(Atomics.load(control.words, control.lockIndex)).toBe(OTHER_THREAD + 1);
  owner.lock.releaseThread(OTHER_THREAD);
  expect(await running).toBe(1);
  expect(owner.lock.run(() => owner.recovered)).toBe(0);
});

test("who waits is woken although the holder died after it had freed the lock and before it told anybody", async () => {
  const control = new SharedControl();
  const [owner, state] = [lockOf(control, 0), lockOf(control)];
  hold(control);
  const running = state.lock.run(() => "ran");
  Atomics.store(control.words, control.lockIndex, 0);
  owner.lock.releaseThread(OTHER_THREAD);
  expect(await running).toBe("ran");
  expect(state.recovered).toBe(0);
});

test("work that stopped half way makes the next holder recover; the error comes out as it was", () => {
  const state = lockOf(new SharedControl());
  expect(() =>
    state.lock.run(() => {
      throw new HalfDone(new Error("the sync failed"));
    }),
  ).toThrow("the sync failed");
  expect(state.lock.run(() => state.recovered)).toBe(1);
  expect(state.lock.run(() => state.recovered)).toBe(1);
});

test("a recovery that fails is tried again by the next holder", () => {
  const control = new SharedControl();
  const state = lockOf(control);
  hold(control);
  state.lock.releaseThread(OTHER_THREAD);
  state.failRecovery = true;
  expect(() => state.lock.run(() => 0)).toThrow("cannot be read");
  state.failRecovery = false;
  expect(state.lock.run(() => state.recovered)).toBe(1);
});
