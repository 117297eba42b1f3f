/**
 * Connections by address and purpose, opened when they are needed. An address that failed is left alone for a while that doubles up to a
 * second, whoever asks: however many wait for a dead broker, it is not stormed.
 */
import { backoffMs } from "./retrying.ts";
import { RECONNECT_ROUNDS_MAX } from "../defaults.ts";
import type { Surroundings } from "../defaults.ts";
import type { BrokerAddress } from "./wire-contract.ts";
import { WireError } from "./wire-error.ts";

export interface PooledConnection {
  /** False: another one is opened in its place. */
  isConnected(): boolean;
  close(): Promise<void>;
}

interface Trouble {
  failures: number;
  until: number;
}

export class ConnectionPool<C extends PooledConnection> {
  readonly #surroundings: Surroundings;
  readonly #connections = new Map<string, Promise<C>>();
  readonly #troubles = new Map<string, Trouble>();
  #closed = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Rejects with a WireError `unreachable`: nothing was sent. */
  async get(address: BrokerAddress, key: string, open: () => Promise<C>): Promise<C> {
    const known = this.#connections.get(key);
    if (known !== undefined) {
      const connection = await known;
      if (connection.isConnected()) return connection;
      if (this.#connections.get(key) === known) this.#connections.delete(key);
      return this.get(address, key, open);
    }
    if (this.#closed) throw new WireError("unreachable", "The connection to Kafka is closed.", undefined);
    this.#refuseTooSoon(address);
    const opening = open();
    this.#connections.set(key, opening);
    opening.catch((error: unknown) => {
      if (!isRefused(error)) this.failed(address);
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    });
    return opening;
  }

  /** It was not reached, or fell silent in the midst of a request. */
  failed(address: BrokerAddress): void {
    const { now, random } = this.#surroundings;
    const trouble = this.#troubles.get(nameOf(address)) ?? { failures: 0, until: 0 };
    // Those that tried side by side are one failure.
    if (now() < trouble.until) return;
    trouble.failures = Math.min(trouble.failures + 1, RECONNECT_ROUNDS_MAX);
    // At least half of the bound: the point is to wait.
    trouble.until = now() + backoffMs(trouble.failures, (1 + random()) / 2, false);
    this.#troubles.set(nameOf(address), trouble);
  }

  /** It has answered. */
  answered(address: BrokerAddress): void {
    if (this.#troubles.size > 0) this.#troubles.delete(nameOf(address));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connections = await Promise.allSettled(this.#connections.values());
    this.#connections.clear();
    await Promise.allSettled(connections.flatMap((each) => (each.status === "fulfilled" ? [each.value.close()] : [])));
  }

  #refuseTooSoon(address: BrokerAddress): void {
    const trouble = this.#troubles.get(nameOf(address));
    if (trouble === undefined || this.#surroundings.now() >= trouble.until) return;
    throw new WireError("unreachable", `${nameOf(address)} was out of reach a moment ago. It is tried again in a moment.`, undefined);
  }
}

/** Login or certificate: who asks next is to hear it too. */
function isRefused(error: unknown): boolean {
  return error instanceof WireError && error.failure === "refused";
}

function nameOf({ host, port }: BrokerAddress): string {
  return `${host}:${port}`;
}
