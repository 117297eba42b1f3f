/** What lies between processes and brokers on a bad day: delays, losses, repetitions, and death at any step of the way. */
import { between, seededRandom } from "#log/kafka/simulated";
import type { Fate, Moment, Network, Random, RequestName, VirtualScheduler } from "#log/kafka/simulated";
import type { SeedOptions } from "./fault-plan.ts";
import type { CrashPoint, Hits } from "./hits.ts";

export interface FaultyNetworkOptions {
  readonly options: SeedOptions;
  readonly scheduler: VirtualScheduler;
  readonly hits: Hits;
  /** Clients whose requests always arrive: those who load and look. */
  readonly quiet: (client: string) => boolean;
  /** Clients that may die: all but those who look. */
  readonly mortal: (client: string) => boolean;
  readonly isDead: (client: string) => boolean;
  readonly kill: (client: string, point: CrashPoint) => void;
}

const LOST = 0.01;
/** Points that are passed seldom are died at more often. */
const CRASH_PER_PASSAGE: Partial<Record<RequestName | "closing", number>> = {
  fetch: 0.0002,
  heartbeat: 0.003,
  initProducer: 0.01,
  addPartitions: 0.005,
  addOffsets: 0.008,
  endTransaction: 0.006,
  offsets: 0.02,
  listOffset: 0.004,
  join: 0.02,
  sync: 0.02,
  leave: 0.25,
  closing: 0.3,
};
const CRASH_OTHERWISE = 0.0015;

export class FaultyNetwork implements Network {
  /** Off: everything arrives, a little later. */
  faulty = true;
  readonly #options: FaultyNetworkOptions;
  readonly #random: Random;
  /** Clients whose heartbeats take long, and until when. */
  readonly #late = new Map<string, number>();

  constructor(options: FaultyNetworkOptions) {
    this.#options = options;
    this.#random = seededRandom(options.options.seed + 0x4e77);
  }

  /** From now on, for so long. */
  lateHeartbeats(client: string, ms: number): void {
    this.#late.set(client, this.#options.scheduler.now() + ms);
  }

  fate(request: RequestName, client: string): Fate {
    if (this.#options.quiet(client)) return { requestMs: 0, replyMs: 0 };
    const [requestMs, replyMs] = [between(this.#random, 1, 8), between(this.#random, 1, 8)];
    if (!this.faulty) return { requestMs, replyMs };
    if (request === "heartbeat" && (this.#late.get(client) ?? 0) > this.#options.scheduler.now())
      return { requestMs: between(this.#random, 500, 3000), replyMs };
    if (this.#draw("lost-request", LOST)) return { requestMs, replyMs, lost: "request", ...this.#breaking() };
    if (this.#draw("lost-reply", LOST)) return { requestMs, replyMs, lost: "reply", ...this.#breaking() };
    // Beyond every patience, into what comes after: the next transaction, the next owner.
    if (this.#draw("broken", LOST))
      return { requestMs: between(this.#random, 5, 15_000), replyMs, breaksAfterMs: between(this.#random, 1, 200) };
    if (this.#draw("slow", LOST * 3)) return { requestMs: between(this.#random, 10, 3000), replyMs: between(this.#random, 10, 3000) };
    if (this.#draw("twice", LOST)) return { requestMs, replyMs, twice: true };
    return { requestMs, replyMs };
  }

  passes(request: RequestName, moment: Moment, client: string): boolean {
    const { hits, scheduler, quiet, isDead } = this.#options;
    if (quiet(client)) return true;
    if (isDead(client)) return false;
    hits.event(`${scheduler.now()} ${client} ${request} ${moment}\n`);
    return this.survives(`${request}/${moment}`, client, CRASH_PER_PASSAGE[request]);
  }

  survives(point: CrashPoint, client: string, chance = point === "closing" ? CRASH_PER_PASSAGE.closing : undefined): boolean {
    if (!this.faulty || !this.#options.mortal(client) || this.#random() >= (chance ?? CRASH_OTHERWISE) * this.#options.options.faults.crash)
      return true;
    this.#options.hits.crash(point);
    this.#options.kill(client, point);
    return false;
  }

  /** A connection that breaks is noticed at once, one that is cut only when patience is over. */
  #breaking(): Pick<Fate, "breaksAfterMs"> {
    return this.#random() < 0.7 ? { breaksAfterMs: between(this.#random, 5, 500) } : {};
  }

  #draw(name: "lost-request" | "lost-reply" | "broken" | "slow" | "twice", chance: number): boolean {
    if (this.#random() >= chance * this.#options.options.faults[name]) return false;
    this.#options.hits.fault(name);
    return true;
  }
}
