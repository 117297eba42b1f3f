/** Moves as the world makes them: late, ahead of time, empty or unreadable now and then, from a producer that only ever adds. */
import type { Producer } from "#log";
import { between, seededRandom, type Random } from "#log/kafka/simulated";
import { partitionFor } from "#streams";
import type { Clients, Traffic, TrafficOptions } from "../application.ts";
import type { SeedOptions } from "../faults/fault-plan.ts";
import type { Hits } from "../faults/hits.ts";
import { moves } from "./ledger-topology.ts";
import { UpstreamTransactions } from "./upstream-transactions.ts";

const ACCOUNTS = 12;
const SECOND_MS = 1_000;
const UPSTREAM_A_SECOND = 0.3;

export class LedgerLoad implements Traffic {
  readonly #producer: Producer;
  readonly #options: SeedOptions;
  readonly #hits: Hits;
  readonly #random: Random;
  #made = 0;

  readonly #chance: Random;
  readonly #upstream: UpstreamTransactions;
  #asking = true;
  #quietUntil = 0;

  constructor(clients: Clients, { options, hits }: TrafficOptions) {
    this.#producer = clients.log.producer();
    this.#options = options;
    this.#hits = hits;
    this.#random = seededRandom(options.seed + 0x10ad);
    this.#chance = seededRandom(options.seed + 0x0957);
    this.#upstream = new UpstreamTransactions({
      clients,
      random: this.#chance,
      make: () => {
        const id = this.#made++;
        return { key: accountOf(this.#chance), value: JSON.stringify({ id, amount: between(this.#chance, -50, 200) }) };
      },
      sent: () => hits.fault("upstream-transaction"),
    });
  }

  step(now: number): number {
    if (!this.#asking) return Infinity;
    if (now < this.#quietUntil) return this.#quietUntil;
    void this.#append(now);
    const often = this.#options.faults["upstream-transaction"];
    if (often > 0 && this.#chance() < (UPSTREAM_A_SECOND * often) / this.#options.recordsPerSecond) this.#upstream.send(now);
    return now + (SECOND_MS / this.#options.recordsPerSecond) * (0.2 + 1.6 * this.#random());
  }

  quietUntil(at: number): void {
    this.#quietUntil = at;
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
    const account = accountOf(random);
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
    const key = value === null ? `nobody-${id}` : account;
    this.#producer.append(moves.name, partitionFor(moves, key, Buffer.from(key)), Math.max(0, timestamp), Buffer.from(key), value);
    try {
      await this.#producer.flush();
    } catch {
      // Brokers were away for too long.
    }
  }
}

function accountOf(random: Random): string {
  return `account-${between(random, 0, ACCOUNTS - 1)}`;
}
