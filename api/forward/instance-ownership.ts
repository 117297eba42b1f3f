/** What of the rows in this process may be answered from: what runs here, and, where the asker said so, what is followed here. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Placements } from "#streams";
import type { Absence, Ownership } from "../queries/queries.ts";

export const RETRY_AFTER_MS = 500;

const standbyWillDo = new AsyncLocalStorage<true>();

/** Within `ask`, rows that are only followed here answer too. */
export function asStandby<T>(ask: () => T): T {
  return standbyWillDo.run(true, ask);
}

export function instanceOwnership(placements: Placements): Ownership {
  return {
    epoch: () => placements.epoch(),
    absence: (store, partition) => absenceOf(placements, store, partition),
  };
}

function absenceOf(placements: Placements, store: string, partition: number): Absence | undefined {
  if (standbyWillDo.getStore() === true && placements.follows(store, partition)) return undefined;
  const { kind } = placements.of(store, partition);
  switch (kind) {
    case "here":
      return undefined;
    case "restoring":
      return { reason: "RESTORING", detail: `partition ${partition} of ${store} is being restored here`, retryAfterMs: RETRY_AFTER_MS };
    case "moving":
      return { reason: "REBALANCING", detail: `partition ${partition} of ${store} changes hands`, retryAfterMs: RETRY_AFTER_MS };
    case "elsewhere":
      return { reason: "MOVED", detail: `partition ${partition} of ${store} is with another instance`, retryAfterMs: RETRY_AFTER_MS };
    default:
      return kind satisfies never;
  }
}
