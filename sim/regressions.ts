/** Seeds that once failed, shrunk, with what they found. */
import { FAULT_NAMES, optionsOf, type FaultName, type SeedOptions } from "./faults/fault-plan.ts";

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
      application: "ledger",
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
  {
    found: "a task is another's while its thread is being opened, and comes back: what is known of it is old",
    options: {
      application: "ledger",
      seed: 118,
      minutes: 0.25,
      transactionVersion: 2,
      brokers: 1,
      instances: 1,
      commitIntervalMs: 500,
      recordsPerSecond: 5,
      firstEpoch: 0,
      group: { standbyReplicas: 0, acceptableLagRecords: 5 },
      faults: only({ "lost-reply": 1, broken: 1, guest: 1 }),
    },
  },
  {
    found: "the same under version 1, among many faults, as it was found",
    options: optionsOf(144, { application: "ledger", minutes: 0.6 }),
  },
  {
    found: "a static member misses a generation in which its task is another's, and claims it as its own in the next",
    options: optionsOf(3, { application: "dispatch", minutes: 1 }),
  },
];
