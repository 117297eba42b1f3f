/** What every scenario on a real cluster begins and ends with: each resolves with its facts, or throws what the topics prove to be wrong. */
import type { KafkaCluster } from "#log/kafka/testing";
import { ChainRun, type ChainOutcome, type ChainRunOptions } from "./chain-run.ts";

export interface ScenarioSize {
  /** Events that are committed upstream, all together. */
  readonly events: number;
  /** Rounds of whatever is done. */
  readonly rounds: number;
  readonly seed: number;
  readonly brokers: 1 | 3;
}

export type ScenarioFacts = Readonly<Record<string, number | string>>;
export type Scenario = (size: ScenarioSize) => Promise<ScenarioFacts>;

/** An output that stands still for so long does not come again. */
export const BACK_MS_MAX = 120_000;
export const SETTLE_MS = 1_500;

export function begin(
  name: string,
  cluster: KafkaCluster,
  size: ScenarioSize,
  {
    load,
    ...more
  }: Pick<ChainRunOptions, "instances"> & Partial<Omit<ChainRunOptions, "load">> & { readonly load?: Partial<ChainRunOptions["load"]> },
): Promise<ChainRun> {
  // Slowly until the faults are over, then as fast as it goes: see ChainRun.end.
  const slow = { records: size.events, producers: 3, keys: 3_000, seconds: 60 + size.rounds * 15 };
  return ChainRun.begin({ name, brokers: cluster.brokers, load: { ...slow, ...load }, ...more });
}

export async function startAll(run: ChainRun): Promise<void> {
  for (const instance of run.instances) {
    instance.start();
    await instance.said(/^running/);
  }
  await run.untilOutputGrows();
}

export function tell(what: string, run: ChainRun): void {
  process.stderr.write(`  ${what}: ${run.loaded.events} events sent\n`);
}

export function facts({ wrong, events, links, load, drainMs }: ChainOutcome, more: ScenarioFacts): ScenarioFacts {
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return { events, links, "aborted upstream": load.aborted, ...more, "drained after, ms": Math.round(drainMs) };
}
