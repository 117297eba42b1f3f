/** A foreign producer that sends moves in transactions of its own: open for long, then committed, aborted, or given up by the brokers. */
import type { Log, Writer } from "#log";
import { between, type KafkaWire, type Random } from "#log/kafka/simulated";
import { partitionFor } from "#streams";
import type { Clients } from "../application.ts";
import { changed } from "../planted/planted.ts";
import { moves } from "./ledger-topology.ts";

const ABORTED = 0.3;
/** The last ones are longer than brokers wait. */
const OPEN_MS_MAX = 12_000;

export interface UpstreamOptions {
  readonly clients: Clients;
  readonly random: Random;
  /** The next move; its key and its value. */
  readonly make: () => { readonly key: string; readonly value: string };
  readonly sent: () => void;
}

export class UpstreamTransactions {
  readonly #options: UpstreamOptions;
  #log: Log | undefined;
  #writer: Writer | undefined;
  #busy = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  /** Sends some moves, if the transaction before has ended. */
  send(now: number): void {
    if (this.#busy) return;
    this.#busy = true;
    void this.#transaction(now)
      .catch(() => {
        // Fenced, given up, or brokers are away: another writer begins anew.
        this.#writer = undefined;
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  async #transaction(now: number): Promise<void> {
    const { clients, random, make, sent } = this.#options;
    this.#log ??= await clients.open("load-upstream", (wire) => this.#slow(wire));
    if (this.#writer === undefined) {
      this.#writer = this.#log.writer({ group: "upstream", transactionalId: "upstream" });
      await this.#writer.initialize();
    }
    for (let left = between(random, 1, 12); left > 0; left--) {
      const { key, value } = make();
      this.#writer.append(moves.name, partitionFor(moves, key, Buffer.from(key)), now, Buffer.from(key), Buffer.from(value));
    }
    sent();
    await this.#writer.commit({ offsets: [], rows: [] });
  }

  #slow(wire: KafkaWire): KafkaWire {
    const { clients, random } = this.#options;
    return changed(wire, {
      endTransaction: async (to, transaction, version, commit) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        clients.after(between(random, 1, OPEN_MS_MAX), resolve);
        await promise;
        return wire.endTransaction(to, transaction, version, commit && random() >= ABORTED);
      },
    });
  }
}
