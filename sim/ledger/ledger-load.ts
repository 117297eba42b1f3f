/** Moves as the world makes them: late, ahead of time, empty or unreadable now and then, from a producer that only ever adds. */
import type { Log, Producer } from "#log";
import { between, seededRandom, type Random } from "#log/kafka/simulated";
import { partitionFor } from "#streams";
import type { Traffic, TrafficOptions } from "../application.ts";
import type { SeedOptions } from "../faults/fault-plan.ts";
import type { Hits } from "../faults/hits.ts";
import { moves } from "./ledger-topology.ts";

const ACCOUNTS = 12;
const SECOND_MS = 1_000;

export class LedgerLoad implements Traffic {
  readonly #producer: Producer;
  readonly #options: SeedOptions;
  readonly #hits: Hits;
  readonly #random: Random;
  #made = 0;

  #asking = true;

  constructor(log: Log, { options, hits }: TrafficOptions) {
    this.#producer = log.producer();
    this.#options = options;
    this.#hits = hits;
    this.#random = seededRandom(options.seed + 0x10ad);
  }

  step(now: number): number {
    if (!this.#asking) return Infinity;
    void this.#append(now);
    return now + (SECOND_MS / this.#options.recordsPerSecond) * (0.2 + 1.6 * this.#random());
  }

  stopAsking(): void {
    this.#asking = false;
  }

  stop(): void {
    this.#asking = false;
  }

  /** Whether it was written does not matter: what counts is what lies in the partition. */
  async #append(now: number): Promise<void> {
    const { poison, "late-input": late } = this.#options.faults;
    const random = this.#random;
    const account = between(random, 0, ACCOUNTS - 1);
    const id = this.#made++;
    let timestamp = now;
    let value: Buffer | null = Buffer.from(JSON.stringify({ id, amount: between(random, -50, 200) }));
    if (random() < 0.1 * late) {
      this.#hits.fault("late-input");
      timestamp += between(random, -60_000, 20_000);
    }
    if (random() < 0.05 * poison) {
      this.#hits.fault("poison");
      value = random() < 0.3 ? null : Buffer.from(`poison ${id}`);
    }
    // An empty one is told by its key.
    const key = value === null ? `nobody-${id}` : `account-${account}`;
    this.#producer.append(moves.name, partitionFor(moves, key, Buffer.from(key)), Math.max(0, timestamp), Buffer.from(key), value);
    try {
      await this.#producer.flush();
    } catch {
      // Brokers were away for too long.
    }
  }
}
