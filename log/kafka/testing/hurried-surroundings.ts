/** Time that jumps to whatever is waited for next, and chance that is always the same. */
import type { Surroundings } from "../defaults.ts";

export interface HurriedSurroundings extends Surroundings {
  /** Each pause that was asked for, in milliseconds. */
  readonly pauses: readonly number[];
}

export function hurriedSurroundings(chance = 0.5): HurriedSurroundings {
  const pauses: number[] = [];
  let now = 0;
  return {
    pauses,
    now: () => now,
    random: () => chance,
    after: (ms, then) => {
      pauses.push(ms);
      let open = true;
      setImmediate(() => {
        if (!open) return;
        now += ms;
        then();
      });
      return () => {
        open = false;
      };
    },
  };
}
