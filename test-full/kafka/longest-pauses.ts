/** How long the output of a partition stood still while its input grew. */
import { setTimeout as sleep } from "node:timers/promises";
import { PARTITIONS } from "./chain-topology.ts";
import type { ChainRun } from "./chain-run.ts";

const LOOK_MS = 20;

/** Watches until `stop`, which answers with the longest time in ms in which a partition had something to do and gave nothing. */
export function longestPauses(run: ChainRun): { stop(): Promise<number> } {
  const stopping = new AbortController();
  let longest = 0;
  const watching = (async () => {
    const last = Array.from({ length: PARTITIONS }, () => ({ end: -1, at: performance.now() }));
    while (!stopping.signal.aborted) {
      await Promise.all(
        last.map(async (seen, partition) => {
          const end = await run.log.offsets.bound({ topic: run.names.links, partition }, "stable");
          const lags = await run.lagOf(partition);
          const now = performance.now();
          // Only time in which there was something to do counts.
          if (end !== seen.end || !lags) {
            seen.end = end;
            seen.at = now;
          } else longest = Math.max(longest, now - seen.at);
        }),
      );
      await sleep(LOOK_MS);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await watching;
      return longest;
    },
  };
}
