/**
 * What ended and is kept only in case that something old still comes for it, by the time of its end. Rows alone, no index in
 * memory and no timer for each: days of ended jobs are millions.
 */
import { keyValueStore, numberSerde, stringKey } from "#state";
import type { KeyValueDescriptor, KeyValueStore } from "#state";
import { FORGET_AFTER_MS } from "./topics.ts";

/** How often a task looks, in stream time: a clock that is bad in one record is at most an hour ahead there. */
export const FORGET_CHECK_MS = 10_000;
/** Forgotten in one go; the rest has to wait for the next one. 100 a second a partition. */
export const FORGOTTEN_PER_CHECK_MAX = 1_000;

/** `<time>/<id>` → a number to go with it; and the two rows of what is gone. */
export type ForgetDescriptor = KeyValueDescriptor<string, number>;

export function forgetStore(name: string): ForgetDescriptor {
  // Written once and read days later: nothing to keep decoded.
  return keyValueStore({ name, key: stringKey, value: numberSerde, cacheEntriesMax: 1_000 });
}

const TIME_DIGITS = 15;
/** Both sort after every time. */
const UNTIL = "until";
const MARK_MAX = "mark-max";

export class ForgetList {
  readonly #store: KeyValueStore<string, number>;

  constructor(store: KeyValueStore<string, number>) {
    this.#store = store;
  }

  /** Whatever was forgotten had a time at or before this; −1: nothing was. */
  get forgottenUntil(): number {
    return this.#store.get(UNTIL) ?? -1;
  }

  /** The largest mark of anything that was forgotten; 0: nothing was. */
  get markMax(): number {
    return this.#store.get(MARK_MAX) ?? 0;
  }

  /** To be forgotten `FORGET_AFTER_MS` after `time`. */
  add(id: string, time: number, mark = 0): void {
    this.#store.put(`${digits(Math.max(time, this.forgottenUntil))}/${id}`, mark);
  }

  /** Names what is due at `now`, oldest first; `forget` answers false if it is kept after all, and then this entry is over. */
  check(now: number, forget: (id: string, mark: number) => boolean): void {
    const before = this.forgottenUntil;
    const horizon = now - FORGET_AFTER_MS;
    if (horizon <= before) return;
    let [until, markMax] = [before, this.markMax];
    // Begins where the last check ended: what lies before are deleted rows.
    const due = { from: digits(Math.max(before, 0)), to: digits(horizon + 1), limit: FORGOTTEN_PER_CHECK_MAX };
    for (const [key, mark] of this.#store.range(due)) {
      this.#store.delete(key);
      until = Number(key.slice(0, TIME_DIGITS));
      if (forget(key.slice(TIME_DIGITS + 1), mark)) markMax = Math.max(markMax, mark);
    }
    if (until > before) this.#store.put(UNTIL, until);
    if (markMax > this.markMax) this.#store.put(MARK_MAX, markMax);
  }
}

function digits(time: number): string {
  return String(time).padStart(TIME_DIGITS, "0");
}
