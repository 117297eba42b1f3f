/**
 * The life of an application.
 *
 *     created ──start──▶ starting ──started──▶ running
 *        │                  │                     │
 *        │                  └────────stop─────────┴──▶ stopping ──ended──▶ stopped
 *        └──stop──▶ stopped                                │
 *                    any of the three in the middle ──fail─┴──▶ failed
 */
export type ApplicationState = "created" | "starting" | "running" | "stopping" | "stopped" | "failed";
export type ApplicationEvent = "start" | "started" | "stop" | "ended" | "fail";

/** Null: cannot happen, a bug if it does. */
const table: Readonly<Record<ApplicationState, Readonly<Record<ApplicationEvent, ApplicationState | null>>>> = {
  created: { start: "starting", started: null, stop: "stopped", ended: null, fail: null },
  starting: { start: null, started: "running", stop: "stopping", ended: null, fail: "failed" },
  running: { start: null, started: null, stop: "stopping", ended: null, fail: "failed" },
  stopping: { start: null, started: "stopping", stop: "stopping", ended: "stopped", fail: "failed" },
  stopped: { start: null, started: null, stop: "stopped", ended: "stopped", fail: "stopped" },
  failed: { start: null, started: "failed", stop: "failed", ended: "failed", fail: "failed" },
};

export function nextApplicationState(state: ApplicationState, event: ApplicationEvent): ApplicationState | null {
  return table[state][event];
}
