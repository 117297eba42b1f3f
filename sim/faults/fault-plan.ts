/** Which faults a seed has, and how often: some seeds have few kinds, so that one fault does not hide another. */
import { between, seededRandom, type Random } from "#log/kafka/simulated";

export const FAULT_NAMES = [
  "crash",
  "lost-request",
  "lost-reply",
  "slow",
  "broken",
  "twice",
  "move-leader",
  "move-coordinator",
  "stop-broker",
  "pause",
  "twin",
  "wipe",
  "clock",
  "restart",
  "guest",
  "slow-markers",
  "compaction",
  "poison",
  "late-input",
  "said-twice",
  "upstream-transaction",
  "storm",
  "lull",
] as const;
/** Of them, those that came later are drawn apart: older seeds keep what they had. */
const LATER: readonly FaultName[] = ["said-twice", "upstream-transaction", "storm"];
/** Apart again: of four seeds one has it. */
const LATEST = "lull";
const LULLS_OF_SEEDS = 0.25;
const DRAWN = FAULT_NAMES.filter((name) => name !== LATEST);

export type FaultName = (typeof FAULT_NAMES)[number];

/** Of so many seeds one. */
const RARE_EVERY = 5;

export type ApplicationName = "ledger" | "dispatch";

export interface SeedOptions {
  readonly application: ApplicationName;
  readonly seed: number;
  /** Virtual, with faults; the time to come to rest is beyond it. */
  readonly minutes: number;
  readonly transactionVersion: 1 | 2;
  readonly brokers: number;
  readonly instances: number;
  readonly commitIntervalMs: number;
  readonly recordsPerSecond: number;
  /** Of new producer ids: near their end they change soon. */
  readonly firstEpoch: number;
  /** Members of one group; undefined: the tasks are split among the instances for good. */
  readonly group: { readonly standbyReplicas: number; readonly acceptableLagRecords: number } | undefined;
  /** From 0 (never) to 1 (as often as this kind comes at most). */
  readonly faults: Readonly<Record<FaultName, number>>;
}

export interface SeedLimits {
  readonly minutes: number;
  /** Only these; default all. */
  readonly only?: readonly FaultName[];
  /** Default: dispatch for each third seed, the ledger for the others. */
  readonly application?: ApplicationName;
}

export function optionsOf(seed: number, { minutes, only = FAULT_NAMES, application = applicationOf(seed) }: SeedLimits): SeedOptions {
  const random = seededRandom(seed * 7919 + 17);
  const later = seededRandom(seed * 104_729 + 5);
  const draws = (source: Random, name: FaultName): [FaultName, number] => {
    const [there, often] = [source() < 0.65, source()];
    return [name, there && only.includes(name) ? Math.max(0.05, often) : 0];
  };
  const faults = Object.fromEntries([
    ...DRAWN.filter((name) => !LATER.includes(name)).map((name) => draws(random, name)),
    ...LATER.map((name) => draws(later, name)),
    [LATEST, only.includes(LATEST) && seededRandom(seed * 65_537 + 11)() < LULLS_OF_SEEDS ? 1 : 0],
  ]) as Record<FaultName, number>; // every name is in the list
  if (only.length === FAULT_NAMES.length && seed % RARE_EVERY === 0) keepFew(faults, later);
  const drawn: SeedOptions = {
    application,
    seed,
    minutes,
    transactionVersion: random() < 0.7 ? 2 : 1,
    brokers: between(random, 1, 3),
    instances: between(random, 1, 3),
    commitIntervalMs: [200, 500, 1000, 2000][between(random, 0, 3)] ?? 500,
    recordsPerSecond: between(random, 1, 6),
    firstEpoch: random() < 0.1 ? 32_700 : 0,
    group:
      random() < 0.75
        ? { standbyReplicas: between(random, 0, 1), acceptableLagRecords: [5, 50, 10_000][between(random, 0, 2)] ?? 50 }
        : undefined,
    faults,
  };
  return faults[LATEST] > 0 ? ofSeveral(drawn) : drawn;
}

/** Nobody takes tasks over where there is nobody else. */
function ofSeveral(options: SeedOptions): SeedOptions {
  const { instances, group = { standbyReplicas: 0, acceptableLagRecords: 50 } } = options;
  return { ...options, group, instances: Math.max(2, instances) };
}

/** What goes wrong only when few things come together is hidden where everything goes wrong: such seeds have three to five kinds. */
function keepFew(faults: Record<FaultName, number>, random: Random): void {
  const kept = new Set<FaultName>();
  for (const count = between(random, 3, 5); kept.size < count;) kept.add(DRAWN[between(random, 0, DRAWN.length - 1)] ?? "crash");
  for (const name of DRAWN) faults[name] = kept.has(name) ? 0.5 + random() / 2 : 0;
}

function applicationOf(seed: number): ApplicationName {
  return seed % 3 === 0 ? "dispatch" : "ledger";
}
