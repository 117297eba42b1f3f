/** What a simulated day comes to, whatever world it was played in. */
import type { MdrpVerdict, Verdict } from "#proof";
import type { CellLoad } from "./cell-loads.ts";
import type { VirtualDay } from "./virtual-day.ts";

export interface Simulation {
  readonly name: string;
  readonly policy: string;
  readonly verdicts: readonly Verdict[];
  /** Of an instance with published rules. */
  readonly evaluation: MdrpVerdict | undefined;
  /** Solution files by name; none where the world has no such format. */
  readonly solution: Readonly<Record<string, string>>;
  /** Figures by name, of worlds without an evaluator. */
  readonly figures: Readonly<Record<string, number>>;
  /** Inputs without an effect, by event and reason. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The busiest first. */
  readonly cells: readonly CellLoad[];
  readonly day: VirtualDay;
  /** Of the day alone, without the checks. */
  readonly daySeconds: number;
  readonly wallSeconds: number;
}
