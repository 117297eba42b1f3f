/** What is soaked: processes, a broker perhaps, and how all of it comes to its end. Contract only. */
import type { Verdict } from "#proof";
import type { SoakedProcess } from "./soaked-process.ts";

export interface SoakedSystemOptions {
  readonly directory: string;
  readonly instances: number;
  readonly seed: number;
}

export interface SoakedBroker {
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
}

export interface ProofOfSoak {
  readonly verdicts: readonly Verdict[];
  /** What else does not hold, a sentence each. */
  readonly violations: readonly string[];
  /** Input records whose events were looked at, and how many of them said something again. */
  readonly inputRecords: number;
  readonly saidAgain: number;
}

export interface SoakedSystem extends AsyncDisposable {
  /** What it is, in words. */
  readonly title: string;
  /** Those that things are done to. */
  readonly instances: readonly SoakedProcess[];
  /** Those that are left alone, and started again should they end. */
  readonly helpers: readonly SoakedProcess[];
  readonly broker: SoakedBroker | undefined;
  /** Resolves when everything serves. */
  start(): Promise<void>;
  /** Nothing comes in any more; instances drain and end. Answers what did not go as it should. */
  finish(): Promise<readonly string[]>;
  /** From committed topics alone. */
  prove(): Promise<ProofOfSoak>;
}

/** What everybody who ends in good order ends with. */
export const CLEAN = 0;
