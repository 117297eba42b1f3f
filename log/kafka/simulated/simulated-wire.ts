/** The wire of one client of a simulated cluster: every request goes to its broker and back in the time and with the fate that the network gives it. */
import type { Destination, KafkaWire } from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { REQUEST_MS_MAX } from "../defaults.ts";
import type { Surroundings } from "../defaults.ts";
import { Broker } from "./broker.ts";
import type { BrokerPlace, ClusterState } from "./cluster-state.ts";

export type RequestName = Exclude<keyof KafkaWire, "close">;

/** Where a request is on its way. */
export type Moment = "before" | "served" | "answered";

export interface Fate {
  readonly requestMs: number;
  readonly replyMs: number;
  /** The request never arrives, or its answer does not. */
  readonly lost?: "request" | "reply";
  /** The connection breaks after so long: the client hears of it at once, and what is on its way still arrives. */
  readonly breaksAfterMs?: number;
  /** The broker takes it twice. */
  readonly twice?: boolean;
}

/** What lies between clients and brokers. */
export interface Network {
  fate(request: RequestName, client: string): Fate;
  /** Hears of every request. False: the client dies there, and neither sends nor hears anything any more. */
  passes?(request: RequestName, moment: Moment, client: string): boolean;
}

export interface SimulatedWireOptions {
  readonly client: string;
  readonly state: ClusterState;
  readonly network: Network;
  /** The client's own: while its process stands still or is dead, nothing is heard. */
  readonly surroundings: Surroundings;
}

/** Requests of one connection are served one after the other. */
interface Connection {
  busy: Promise<unknown>;
  arrivesAt: number;
}

export function openSimulatedWire(options: SimulatedWireOptions): KafkaWire {
  const transport = new Transport(options);
  return {
    versions: (to) => transport.send(to, "versions", (broker) => broker.versions()),
    metadata: (to, topics) => transport.send(to, "metadata", (broker) => broker.metadata(topics)),
    coordinator: (to, kind, key) => transport.send(to, "coordinator", (broker) => broker.coordinator(kind, key)),
    createTopics: (to, topics) => transport.send(to, "createTopics", (broker) => broker.createTopics(topics)),
    topicConfigs: (to, topics, names) => transport.send(to, "topicConfigs", (broker) => broker.topicConfigs(topics, names)),
    deleteRecords: (to, at, offset) => transport.send(to, "deleteRecords", (broker) => broker.deleteRecords(at, offset)),
    groups: (to) => transport.send(to, "groups", (broker) => broker.groups()),
    listOffset: (to, { topic, partition }, isolation, timestamp) =>
      transport.send(to, "listOffset", (broker) => broker.listOffset({ topic, partition }, isolation, timestamp)),
    offsets: (to, group, partitions) => transport.send(to, "offsets", (broker) => broker.offsets(group, partitions)),
    fetch: (to, request) => transport.send(to, "fetch", (broker) => broker.fetch(request)),
    initProducer: (to, request) => transport.send(to, "initProducer", (broker) => broker.initProducer(request)),
    addPartitions: (to, transaction, partitions) => {
      const sent = partitions.map(({ topic, partition }) => ({ topic, partition }));
      return transport.send(to, "addPartitions", (broker) => broker.addPartitions({ ...transaction }, sent));
    },
    addOffsets: (to, transaction, group) => transport.send(to, "addOffsets", (broker) => broker.addOffsets(transaction, group)),
    commitOffsets: (to, request) => transport.send(to, "commitOffsets", (broker) => broker.commitOffsets(request)),
    endTransaction: (to, transaction, version, commit) =>
      transport.send(to, "endTransaction", (broker) => broker.endTransaction(transaction, version, commit)),
    produce: (to, request) => {
      // The sender uses its memory again when it has an answer, or has given up.
      const partitions = request.partitions.map((each) => ({ ...each, batch: Buffer.from(each.batch) }));
      return transport.send(to, "produce", (broker) => broker.produce({ ...request, partitions }));
    },
    join: (to, request) => transport.send(to, "join", (broker) => broker.join(request)),
    sync: (to, request) => transport.send(to, "sync", (broker) => broker.sync(request)),
    heartbeat: (to, member) => transport.send(to, "heartbeat", (broker) => broker.heartbeat(member)),
    leave: (to, member) => transport.send(to, "leave", (broker) => broker.leave(member)),
    close: () => transport.close(),
  };
}

interface Exchange<R> {
  readonly resolve: (answer: R) => void;
  readonly reject: (error: WireError) => void;
  open: boolean;
}

class Transport {
  readonly #options: SimulatedWireOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #open = new Set<() => void>();
  /** Answers on their way. */
  readonly #replies = new Set<() => void>();
  #closed = false;

  constructor(options: SimulatedWireOptions) {
    this.#options = options;
  }

  send<R>(to: Destination, request: RequestName, serve: (broker: Broker) => R | Promise<R>): Promise<R> {
    const { state, network, client, surroundings } = this.#options;
    const place = state.brokerAt(to);
    if (this.#closed || place === undefined || !place.up)
      return Promise.reject(new WireError("unreachable", `${to.host}:${to.port} cannot be reached.`, undefined));
    if (network.passes?.(request, "before", client) === false) return Promise.withResolvers<R>().promise;
    const fate = network.fate(request, client);
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const key = `${to.host}:${to.port} ${to.purpose} ${to.answerMsMax ?? REQUEST_MS_MAX}`;
    const connection = this.#connections.get(key) ?? { busy: Promise.resolve(), arrivesAt: 0 };
    this.#connections.set(key, connection);
    const lose = (): void => {
      if (!exchange.open) return;
      this.#connections.delete(key);
      reject(new WireError("no-answer", `request ${request} at ${to.host}:${to.port} has no answer.`, undefined));
      close();
    };
    const stopPatience = surroundings.after(Math.min(fate.breaksAfterMs ?? Infinity, to.answerMsMax ?? REQUEST_MS_MAX), lose);
    this.#open.add(lose);
    const close = (): void => {
      exchange.open = false;
      stopPatience();
      this.#open.delete(lose);
    };
    const answer = (value: R): void => {
      if (!exchange.open) return;
      close();
      if (network.passes?.(request, "answered", client) !== false) resolve(value);
    };
    const exchange: Exchange<R> = { resolve: answer, reject, open: true };
    if (fate.lost !== "request") this.#deliver(place, connection, request, fate, serve, exchange, lose);
    return promise;
  }

  /** Whoever waits hears that there is no answer. */
  close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open];
    for (const lose of open) lose();
    for (const stop of this.#replies) stop();
    this.#replies.clear();
    return Promise.resolve();
  }

  /** In the client's own time; never once it has closed. */
  #later(ms: number, then: () => void): void {
    if (this.#closed) return;
    const stop = this.#options.surroundings.after(ms, () => {
      this.#replies.delete(stop);
      then();
    });
    this.#replies.add(stop);
  }

  #deliver<R>(
    place: BrokerPlace,
    connection: Connection,
    request: RequestName,
    fate: Fate,
    serve: (broker: Broker) => R | Promise<R>,
    exchange: Exchange<R>,
    lose: () => void,
  ): void {
    const { state, network, client } = this.#options;
    const { life } = place;
    const arrive = async (): Promise<void> => {
      if (place.life !== life) {
        this.#later(0, lose);
        return;
      }
      const broker = new Broker(state, place.nodeId);
      const answer = await serve(broker);
      if (fate.twice === true) void serve(broker);
      if (network.passes?.(request, "served", client) === false || fate.lost === "reply") return;
      if (fate.replyMs <= 0) exchange.resolve(answer);
      else this.#later(fate.replyMs, () => (place.life === life ? exchange.resolve(answer) : lose()));
    };
    const now = state.surroundings.now();
    // A connection keeps its order.
    connection.arrivesAt = Math.max(connection.arrivesAt, now + fate.requestMs);
    later(state.surroundings, connection.arrivesAt - now, () => {
      connection.busy = connection.busy.then(arrive);
    });
  }
}

function later(surroundings: Surroundings, ms: number, then: () => void): void {
  if (ms <= 0) then();
  else surroundings.after(ms, then);
}
