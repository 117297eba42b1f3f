/** Brokers in memory that answer the wire by Kafka's rules: no socket, no clock and no chance but what is given. */
import { openKafkaLogOver } from "../kafka-log.ts";
import type { KafkaLogOptions } from "../kafka-log.ts";
import type { Log } from "../../log.ts";
import type { Surroundings } from "../defaults.ts";
import type { BrokerAddress, KafkaWire } from "../client/wire-contract.ts";
import { ClusterState } from "./cluster-state.ts";
import type { CoordinatorKind } from "./cluster-state.ts";
import { openSimulatedWire } from "./simulated-wire.ts";
import type { Network } from "./simulated-wire.ts";

export interface SimulatedClusterOptions {
  /** Of the brokers: their clock and timers. */
  readonly surroundings: Surroundings;
  /** Default 1. */
  readonly brokers?: number;
  /** Default 2. */
  readonly transactionVersion?: 1 | 2;
  /** Default: everything arrives at once. */
  readonly network?: Network;
  /** From the end of a transaction to each of its markers; default 0 ms. */
  readonly markerMs?: () => number;
  /** How often transactions that are too old are looked for; default 500 ms. */
  readonly timeoutCheckMs?: number;
  /** Of new producer ids; default 0, at most 32,766. */
  readonly firstEpoch?: number;
}

export interface ClientOptions extends Partial<Omit<KafkaLogOptions, "brokers">> {
  readonly clientId: string;
  /** Of the client's process; default the brokers'. */
  readonly surroundings?: Surroundings;
  /** For faults that sit between the adapter and its wire. */
  readonly wrapWire?: (wire: KafkaWire) => KafkaWire;
}

const AT_ONCE: Network = { fate: () => ({ requestMs: 0, replyMs: 0 }) };

export class SimulatedCluster {
  readonly #state: ClusterState;
  readonly #network: Network;
  readonly #surroundings: Surroundings;

  constructor(options: SimulatedClusterOptions) {
    const { surroundings, brokers = 1, transactionVersion = 2, markerMs = () => 0, timeoutCheckMs = 500, firstEpoch = 0 } = options;
    this.#surroundings = surroundings;
    this.#network = options.network ?? AT_ONCE;
    this.#state = new ClusterState({ surroundings, brokers, transactionVersion, markerMs, timeoutCheckMs, firstEpoch });
  }

  get brokers(): readonly BrokerAddress[] {
    return this.#state.brokers.map(({ host, port }) => ({ host, port }));
  }

  /** Transactions that are open, or whose markers are not all written. */
  get openTransactions(): number {
    return this.#state.transactions.unfinished;
  }

  wire({ clientId: client, surroundings = this.#surroundings }: Pick<ClientOptions, "clientId" | "surroundings">): KafkaWire {
    return openSimulatedWire({ client, surroundings, state: this.#state, network: this.#network });
  }

  /** The adapter as it is, over this cluster. */
  open(options: ClientOptions): Promise<Log> {
    const { surroundings = this.#surroundings, wrapWire = (wire) => wire, ...more } = options;
    const wire = wrapWire(this.wire({ clientId: options.clientId, surroundings }));
    const brokers = this.brokers.map(({ host, port }) => `${host}:${port}`);
    return openKafkaLogOver({ ...more, brokers }, { wire, surroundings });
  }

  /** What lies in a partition, as it lies there: for proofs. */
  batches(topic: string, partition: number, fromOffset: number): readonly Buffer[] {
    return this.#state.topics.get(topic)?.partitions[partition]?.batchesFrom(fromOffset) ?? [];
  }

  /** Of a partition; 0 where there is none. */
  endOffset(topic: string, partition: number): number {
    return this.#state.topics.get(topic)?.partitions[partition]?.highWatermark ?? 0;
  }

  /** −1 where nothing was committed; undefined while something is pending. */
  committedOffset(group: string, topic: string, partition: number): number | undefined {
    const [found] = this.#state.group(group).offsets.fetch([{ topic, partition }]);
    return found === undefined || found.errorCode !== 0 ? undefined : found.offset;
  }

  /** What a client hears that does not ask for stable offsets. */
  unstableOffset(group: string, topic: string, partition: number): number {
    return this.#state.group(group).offsets.unstable(topic, partition);
  }

  /** The next broker that is up leads from now on. */
  moveLeader(topic: string, partition: number): void {
    const found = this.#state.topics.get(topic);
    if (found !== undefined) this.#state.moveLeader(found, partition);
  }

  /** The new coordinator reads its log for so long before it answers. */
  moveCoordinator(kind: CoordinatorKind, key: string, loadingMs: number): void {
    this.#state.moveCoordinator(kind, key, loadingMs);
  }

  /** What it led and coordinated is without until the others take over, after `failOverMs`. */
  stopBroker(nodeId: number, failOverMs: number, loadingMs: number): void {
    this.#state.stopBroker(nodeId);
    this.#surroundings.after(failOverMs, () => this.#state.failOver(loadingMs));
  }

  startBroker(nodeId: number): void {
    this.#state.startBroker(nodeId);
  }

  /** What brokers do in the background: compacted topics lose what newer records replace, the others what is too old. */
  upkeep(emptyBatches: () => boolean): void {
    for (const { configs, partitions } of this.#state.topics.values()) {
      const compacted = (configs.get("cleanup.policy") ?? "").includes("compact");
      const retentionMs = Number(configs.get("retention.ms") ?? 604_800_000);
      for (const partition of partitions) {
        if (compacted) partition.compact(emptyBatches);
        else if (retentionMs >= 0) partition.expireBefore(this.#surroundings.now() - retentionMs);
      }
    }
  }
}
