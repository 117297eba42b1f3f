/** Events in small pieces all the time, so that whoever stands still is seen to. */
import type { ForeignLoadOptions } from "../foreign-producers.ts";
import type { ScenarioSize } from "../scenario.ts";

export function steadyLoad({ rounds }: ScenarioSize): Partial<ForeignLoadOptions> {
  return { producers: 6, recordsATransaction: 20, seconds: 120 + rounds * 40 };
}
