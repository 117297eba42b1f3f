/** What instances ask of brokers, counted at the proxies that stand between them. */
import type { TcpProxy } from "#log/kafka/testing";

/** The most in any second so far. */
export interface Traffic {
  readonly requestsPerSecond: number;
  readonly connectionsPerSecond: number;
}

const SECOND_MS = 1_000;

/** Counts from now on. `during` counts apart what falls into it. */
export class TrafficCount {
  readonly #proxies: readonly TcpProxy[];

  constructor(proxies: readonly TcpProxy[]) {
    this.#proxies = proxies;
  }

  /** The most that was asked of them in any second of it; of what is shorter, all of it. */
  async during(work: () => Promise<unknown>): Promise<Traffic> {
    const totals = (): { requests: number; connections: number } => ({
      requests: this.#proxies.reduce((sum, { requestsSeen }) => sum + requestsSeen, 0),
      connections: this.#proxies.reduce((sum, { connectionsOpened }) => sum + connectionsOpened, 0),
    });
    let [requestsPerSecond, connectionsPerSecond] = [0, 0];
    let [last, lastAt] = [totals(), performance.now()];
    const look = (): void => {
      const now = totals();
      // A timer that is late has counted more than a second.
      const seconds = Math.max(1, (performance.now() - lastAt) / SECOND_MS);
      requestsPerSecond = Math.max(requestsPerSecond, (now.requests - last.requests) / seconds);
      connectionsPerSecond = Math.max(connectionsPerSecond, (now.connections - last.connections) / seconds);
      [last, lastAt] = [now, performance.now()];
    };
    const timer = setInterval(look, SECOND_MS);
    try {
      await work();
    } finally {
      clearInterval(timer);
      look();
    }
    return { requestsPerSecond: Math.round(requestsPerSecond), connectionsPerSecond: Math.round(connectionsPerSecond) };
  }
}

export function mostOf(one: Traffic, other: Traffic): Traffic {
  return {
    requestsPerSecond: Math.max(one.requestsPerSecond, other.requestsPerSecond),
    connectionsPerSecond: Math.max(one.connectionsPerSecond, other.connectionsPerSecond),
  };
}
