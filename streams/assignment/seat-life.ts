/**
 * The life of a seat in a group.
 *
 *     outside ──join──▶ waiting ──assigned──▶ seated ──rebalance, ask──▶ ending ──ended──▶ waiting
 *        ▲                 │                    │                          │
 *        └──────────────── lost ────────────────┴──────────────────────────┘        any ──leave──▶ left
 *
 * While waiting and ending, tasks go on into what is not committed yet. A rebalance while waiting is answered by joining again.
 */
export type SeatState = "outside" | "waiting" | "seated" | "ending" | "left";
export type SeatEvent = "join" | "assigned" | "rebalance" | "ask" | "ended" | "lost" | "leave";

/** Null: cannot happen, a bug if it does. */
const table: Readonly<Record<SeatState, Readonly<Record<SeatEvent, SeatState | null>>>> = {
  outside: { join: "waiting", assigned: null, rebalance: null, ask: null, ended: null, lost: "outside", leave: "left" },
  waiting: { join: null, assigned: "seated", rebalance: "waiting", ask: null, ended: null, lost: "outside", leave: "left" },
  seated: { join: null, assigned: null, rebalance: "ending", ask: "ending", ended: null, lost: "outside", leave: "left" },
  ending: { join: null, assigned: null, rebalance: "ending", ask: null, ended: "waiting", lost: "outside", leave: "left" },
  left: { join: null, assigned: null, rebalance: null, ask: null, ended: null, lost: null, leave: "left" },
};

export function nextSeatState(state: SeatState, event: SeatEvent): SeatState | null {
  return table[state][event];
}
