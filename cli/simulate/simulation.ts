/** What a simulated day comes to, whatever world it was played in. */
import type { MdrpVerdict, Verdict } from "#proof";
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
  readonly day: VirtualDay;
  readonly wallSeconds: number;
}
