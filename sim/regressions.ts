/** Seeds that once failed, shrunk, with what they found. */
import { FAULT_NAMES, type FaultName, type SeedOptions } from "./fault-plan.ts";

export interface Regression {
  readonly found: string;
  readonly options: SeedOptions;
}

const only = (faults: Partial<Record<FaultName, number>>): SeedOptions["faults"] =>
  Object.fromEntries(FAULT_NAMES.map((name) => [name, faults[name] ?? 0])) as SeedOptions["faults"]; // every name is in the list

export const regressions: readonly Regression[] = [
  {
    found: "under version 1, a request whose answer was lost arrives in the next transaction",
    options: {
      seed: 3,
      minutes: 1,
      transactionVersion: 1,
      brokers: 1,
      instances: 1,
      commitIntervalMs: 200,
      recordsPerSecond: 3,
      firstEpoch: 0,
      group: undefined,
      faults: only({ broken: 6 }),
    },
  },
];
