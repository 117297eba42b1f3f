/** When the tasks of a dead instance run elsewhere. */
import { setTimeout as sleep } from "node:timers/promises";
import { SESSION_MS, type ChainRun } from "../chain-run.ts";
import { BACK_MS_MAX } from "../scenario.ts";
import type { PauseWatch } from "./longest-pauses.ts";

const LOOK_MS = 20;
/** A task that has had something to do for so long stands still. */
const STANDS_MS = 1_000;

/** Every task has given output since the session of who died was over: an end that markers alone have moved is none. */
export async function untilAllMove(run: ChainRun, watch: PauseWatch): Promise<void> {
  await sleep(SESSION_MS);
  await run.untilAllOutputsGrow(BACK_MS_MAX);
  const until = performance.now() + BACK_MS_MAX;
  while (watch.standingMs > STANDS_MS) {
    if (performance.now() > until) throw new Error(`a task has stood still for ${Math.round(watch.standingMs)} ms`);
    await sleep(LOOK_MS);
  }
}
