/** What is done to which process, and when: all of it from one seed. */
import { between, seededRandom, type Random } from "#log/kafka/simulated";

export type Deed = "kill" | "stop" | "pause";

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly instances: number;
  /** Whether there is a broker that something can be done to. */
  readonly broker: boolean;
}

export interface PlannedDeed {
  readonly atSeconds: number;
  readonly deed: Deed;
  /** From 0 on; −1: the broker. */
  readonly target: number;
  /** How long it stands still or is away. */
  readonly awaySeconds: number;
}

export const BROKER = -1;
/** In the last part nobody is ended, so that lives are long enough to tell whether memory grows. */
export const QUIET_SHARE = 0.4;
const FIRST_SECONDS = 15;
const LEAST_GAP_SECONDS = 12;

/** About twenty deeds in thirty minutes, and at least one in each minute of a short run. */
export function chaosPlan({ seed, seconds, instances, broker }: ChaosOptions): readonly PlannedDeed[] {
  const random = seededRandom(seed);
  const meanGap = Math.min(90, Math.max(LEAST_GAP_SECONDS, seconds / 20));
  const deeds: PlannedDeed[] = [];
  for (let at = FIRST_SECONDS + random() * meanGap; at < seconds - LEAST_GAP_SECONDS; at += gap(random, meanGap)) {
    const quiet = at > seconds * (1 - QUIET_SHARE);
    const drawn = random();
    const deed: Deed = quiet ? "pause" : drawn < 0.45 ? "kill" : drawn < 0.75 ? "stop" : "pause";
    const onBroker = broker && random() < 0.2;
    const target = onBroker ? BROKER : between(random, 0, instances - 1);
    deeds.push({ atSeconds: at, deed, target, awaySeconds: deed === "pause" ? between(random, 2, 14) : between(random, 1, 6) });
  }
  return deeds;
}

function gap(random: Random, mean: number): number {
  return Math.max(LEAST_GAP_SECONDS, -Math.log(1 - random()) * mean);
}
