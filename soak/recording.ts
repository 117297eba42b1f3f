/** What was measured and what was done, over time. */
import type { Mark } from "./chart.ts";
import type { Sample } from "./sample.ts";

export interface Measurement {
  readonly seconds: number;
  /** Which of the process' lives, from 1 on. */
  readonly life: number;
  /** Undefined while it does not answer. */
  readonly sample: Sample | undefined;
}

export interface Recording {
  /** By process. */
  readonly processes: ReadonlyMap<string, readonly Measurement[]>;
  readonly disk: readonly (readonly [seconds: number, bytes: number])[];
  readonly marks: readonly Mark[];
  /** What was done, as it was done: a line each. */
  readonly deeds: readonly string[];
  /** From the start after a death to the first answer, seconds. */
  readonly returns: readonly number[];
  /** Ends that nobody asked for. */
  readonly surprises: readonly string[];
  readonly seconds: number;
}
