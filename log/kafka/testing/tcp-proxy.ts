/** Stands between a client and a broker, and does to their connections what networks do. */
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { freePorts } from "./free-ports.ts";

/** As a client sees it: up is what it sends. */
export type Direction = "up" | "down";

/** What a lost packet costs until it is sent again. */
const RESEND_MS = 200;
const HOST = "127.0.0.1";

interface Pair {
  readonly up: Flow;
  readonly down: Flow;
  destroy(): void;
}

interface Trouble {
  refusing: boolean;
  readonly silent: Set<Direction>;
  delayMs: number;
  lossShare: number;
}

export class TcpProxy {
  readonly port: number;
  readonly #targetPort: number;
  readonly #random: () => number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #trouble: Trouble = { refusing: false, silent: new Set(), delayMs: 0, lossShare: 0 };
  #opened = 0;
  #chunks = 0;

  private constructor(port: number, targetPort: number, random: () => number) {
    this.port = port;
    this.#targetPort = targetPort;
    this.#random = random;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a free port of this machine. `random` decides what is lost. */
  static async open(targetPort: number, options: { readonly port?: number; readonly random?: () => number } = {}): Promise<TcpProxy> {
    const port = options.port ?? (await freePorts(1))[0] ?? 0;
    const proxy = new TcpProxy(port, targetPort, options.random ?? Math.random);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(port, HOST, resolve);
    });
    return proxy;
  }

  /** Connections ever taken. */
  get connectionsOpened(): number {
    return this.#opened;
  }

  /** Pieces of data that clients sent: no less than their requests, as long as each is small. */
  get requestsSeen(): number {
    return this.#chunks;
  }

  /** Every connection ends now, and new ones are ended at once. */
  cut(): void {
    this.#trouble.refusing = true;
    this.drop();
  }

  /** Every connection ends now; new ones are welcome. */
  drop(): void {
    for (const pair of this.#pairs) pair.destroy();
  }

  /** Nothing arrives any more in that direction, and nobody is told. It is held back, as a network does, until healed. */
  silence(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#trouble.silent.add(direction);
  }

  /** Each piece arrives that much later. */
  delay(ms: number): void {
    this.#trouble.delayMs = ms;
  }

  /** That share of the packets is lost: TCP sends them again, later, and what is behind them waits. */
  lose(share: number): void {
    this.#trouble.lossShare = share;
  }

  heal(): void {
    this.#trouble.refusing = false;
    this.#trouble.silent.clear();
    this.#trouble.delayMs = 0;
    this.#trouble.lossShare = 0;
    for (const { up, down } of this.#pairs) {
      up.pump();
      down.pump();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(client: Socket): void {
    this.#opened++;
    if (this.#trouble.refusing) {
      client.on("error", () => {});
      client.destroy();
      return;
    }
    const broker = connect(this.#targetPort, HOST);
    for (const socket of [client, broker]) socket.setNoDelay(true);
    const held = (direction: Direction) => (): boolean => this.#trouble.silent.has(direction);
    const wait = (): number => this.#waitMs();
    const up = new Flow(client, broker, held("up"), wait, () => this.#chunks++);
    const pair: Pair = {
      up,
      down: new Flow(broker, client, held("down"), wait),
      destroy: () => {
        client.destroy();
        broker.destroy();
      },
    };
    this.#pairs.add(pair);
    const end = (): void => {
      if (this.#pairs.delete(pair)) pair.destroy();
    };
    for (const socket of [client, broker]) socket.on("error", end).on("close", end);
  }

  #waitMs(): number {
    const { delayMs, lossShare } = this.#trouble;
    if (lossShare === 0) return delayMs;
    // The number of losses in a row before a packet comes through: each with the same chance.
    const losses = Math.floor(Math.log(1 - this.#random()) / Math.log(lossShare));
    return delayMs + losses * RESEND_MS;
  }
}

/** One direction of a connection: in order, however long a piece takes. */
class Flow {
  readonly #to: Socket;
  readonly #held: () => boolean;
  readonly #queue: { readonly bytes: Buffer; readonly at: number }[] = [];
  #last = 0;

  constructor(from: Socket, to: Socket, held: () => boolean, waitMs: () => number, seen?: () => void) {
    this.#to = to;
    this.#held = held;
    from.on("data", (bytes: Buffer) => {
      seen?.();
      const ms = waitMs();
      if (ms === 0 && this.#queue.length === 0 && !held()) {
        to.write(bytes);
        return;
      }
      this.#last = Math.max(this.#last, Date.now() + ms);
      this.#queue.push({ bytes, at: this.#last });
      setTimeout(() => this.pump(), Math.max(0, this.#last - Date.now()));
    });
  }

  /** Hands on what is due. */
  pump(): void {
    if (this.#held()) return;
    const now = Date.now();
    while ((this.#queue[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
      const next = this.#queue.shift();
      if (next !== undefined && !this.#to.destroyed) this.#to.write(next.bytes);
    }
    const due = this.#queue[0]?.at;
    if (due !== undefined) setTimeout(() => this.pump(), Math.max(1, due - now));
  }
}
