/**
 * The life of a stream thread.
 *
 *     created ──start──▶ starting ──opened──▶ running ──stop──▶ draining ──drained──▶ stopped
 *        │                 ▲   │                 │                 │
 *        │                 └───┴─────lost────────┘                 │
 *        └──stop──▶ stopped          any of them ──fatal──▶ failed ◀
 *
 * `lost`: the work since the last commit is void; the tasks are opened again from what was committed. While draining that
 * work is simply dropped. A stop while starting drains nothing, but waits for what is under way.
 */
import type { StreamThreadState } from "./thread.ts";

export type ThreadEvent = "start" | "opened" | "lost" | "stop" | "drained" | "fatal";

/** Null: cannot happen, a bug if it does. */
const table: Readonly<Record<StreamThreadState, Readonly<Record<ThreadEvent, StreamThreadState | null>>>> = {
  created: { start: "starting", opened: null, lost: null, stop: "stopped", drained: null, fatal: "failed" },
  starting: { start: null, opened: "running", lost: "starting", stop: "draining", drained: null, fatal: "failed" },
  running: { start: null, opened: null, lost: "starting", stop: "draining", drained: null, fatal: "failed" },
  draining: { start: null, opened: null, lost: "draining", stop: "draining", drained: "stopped", fatal: "failed" },
  stopped: { start: null, opened: null, lost: null, stop: "stopped", drained: null, fatal: null },
  failed: { start: null, opened: null, lost: null, stop: "failed", drained: null, fatal: "failed" },
};

export function nextThreadState(state: StreamThreadState, event: ThreadEvent): StreamThreadState | null {
  return table[state][event];
}
