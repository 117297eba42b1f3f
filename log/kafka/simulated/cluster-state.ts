/** What all brokers of a simulated cluster share: topics, who leads and coordinates what, and which brokers are up. */
import assert from "node:assert/strict";
import type { BrokerAddress, NewTopic } from "../client/wire-contract.ts";
import type { Surroundings } from "../defaults.ts";
import { GroupCoordinator } from "./group-coordinator.ts";
import { GroupOffsets } from "./group-offsets.ts";
import { PartitionLog } from "./partition-log.ts";
import { TransactionCoordinator } from "./transaction-coordinator.ts";

export interface SimulatedTopic {
  readonly name: string;
  readonly topicId: string;
  /** As they were set; the others have the broker's defaults. */
  readonly configs: ReadonlyMap<string, string>;
  readonly partitions: readonly PartitionLog[];
  readonly leaders: number[];
}

export interface SimulatedGroup {
  readonly coordinator: GroupCoordinator;
  readonly offsets: GroupOffsets;
}

export interface BrokerPlace extends BrokerAddress {
  readonly nodeId: number;
  up: boolean;
  /** Counts its starts: answers of an earlier life never arrive. */
  life: number;
}

export interface ClusterStateOptions {
  readonly surroundings: Surroundings;
  readonly brokers: number;
  readonly transactionVersion: 1 | 2;
  readonly markerMs: () => number;
  readonly timeoutCheckMs: number;
  readonly firstEpoch: number;
}

export type CoordinatorKind = "group" | "transaction";

const PORT = 9092;
const NOT_COORDINATOR = 16;
const NO_LEADER = -1;

export class ClusterState {
  readonly options: ClusterStateOptions;
  readonly surroundings: Surroundings;
  readonly brokers: readonly BrokerPlace[];
  readonly topics = new Map<string, SimulatedTopic>();
  readonly topicsById = new Map<string, SimulatedTopic>();
  readonly groups = new Map<string, SimulatedGroup>();
  readonly transactions: TransactionCoordinator;
  readonly #coordinators = new Map<string, number>();
  readonly #loadingUntil = new Map<string, number>();

  constructor(options: ClusterStateOptions) {
    this.options = options;
    this.surroundings = options.surroundings;
    this.brokers = Array.from({ length: options.brokers }, (_, index) => ({
      nodeId: index + 1,
      host: `broker-${index + 1}`,
      port: PORT,
      up: true,
      life: 0,
    }));
    this.transactions = new TransactionCoordinator(options);
  }

  brokerAt({ host, port }: BrokerAddress): BrokerPlace | undefined {
    return this.brokers.find((each) => each.host === host && each.port === port);
  }

  create({ name, partitions, configs }: NewTopic): void {
    const topic: SimulatedTopic = {
      name,
      topicId: (this.topics.size + 1).toString(16).padStart(32, "0"),
      configs: new Map(configs.map((config) => [config.name, config.value])),
      partitions: Array.from({ length: partitions }, () => new PartitionLog()),
      leaders: Array.from({ length: partitions }, (_, partition) => this.#upFrom(this.topics.size + partition)),
    };
    this.topics.set(name, topic);
    this.topicsById.set(topic.topicId, topic);
  }

  group(name: string): SimulatedGroup {
    let group = this.groups.get(name);
    if (group === undefined) {
      group = { coordinator: new GroupCoordinator(name, this.surroundings), offsets: new GroupOffsets() };
      this.groups.set(name, group);
    }
    return group;
  }

  /** −1 while no broker is up. */
  coordinatorOf(kind: CoordinatorKind, key: string): number {
    const known = this.#coordinators.get(`${kind} ${key}`);
    if (known !== undefined) return known;
    const node = this.#upFrom(hashOf(key));
    if (node !== NO_LEADER) this.#coordinators.set(`${kind} ${key}`, node);
    return node;
  }

  isLoading(kind: CoordinatorKind, key: string): boolean {
    return (this.#loadingUntil.get(`${kind} ${key}`) ?? -Infinity) > this.surroundings.now();
  }

  /** The next broker that is up takes over, and reads its log for so long. */
  moveCoordinator(kind: CoordinatorKind, key: string, loadingMs: number): void {
    const node = this.#upFrom(this.coordinatorOf(kind, key));
    if (node === NO_LEADER) this.#coordinators.delete(`${kind} ${key}`);
    else this.#coordinators.set(`${kind} ${key}`, node);
    this.#loadingUntil.set(`${kind} ${key}`, this.surroundings.now() + loadingMs);
    if (kind === "group") this.groups.get(key)?.coordinator.moved(NOT_COORDINATOR);
  }

  moveLeader(topic: SimulatedTopic, partition: number): void {
    assert(partition < topic.leaders.length, `${topic.name} has no partition ${partition}`);
    topic.leaders[partition] = this.#upFrom(topic.leaders[partition] ?? 0);
  }

  /** Its requests are lost at once; what it led has no leader until `failOver`. */
  stopBroker(nodeId: number): void {
    const broker = this.#broker(nodeId);
    broker.up = false;
    broker.life += 1;
    for (const { leaders } of this.topics.values())
      for (const [partition, leader] of leaders.entries()) if (leader === nodeId) leaders[partition] = NO_LEADER;
  }

  /** What has no leader gets one, and what the broker coordinated moves. */
  failOver(loadingMs: number): void {
    for (const { leaders } of this.topics.values())
      for (const [partition, leader] of leaders.entries()) if (leader === NO_LEADER) leaders[partition] = this.#upFrom(partition);
    for (const [id, node] of this.#coordinators) {
      if (this.#broker(node).up) continue;
      const [kind, key] = [id.startsWith("group ") ? "group" : "transaction", id.slice(id.indexOf(" ") + 1)] as const;
      this.moveCoordinator(kind, key, loadingMs);
    }
  }

  startBroker(nodeId: number): void {
    this.#broker(nodeId).up = true;
    this.failOver(0);
  }

  isLed(topic: SimulatedTopic, partition: number): boolean {
    return (topic.leaders[partition] ?? NO_LEADER) !== NO_LEADER;
  }

  #broker(nodeId: number): BrokerPlace {
    const broker = this.brokers[nodeId - 1];
    assert(broker, `there is no broker ${nodeId}`);
    return broker;
  }

  /** The next one that is up, after the given one. */
  #upFrom(index: number): number {
    const count = this.brokers.length;
    for (let turn = 0; turn < count; turn++) {
      const broker = this.brokers[(Math.max(0, index) + turn) % count];
      if (broker?.up === true) return broker.nodeId;
    }
    return NO_LEADER;
  }
}

function hashOf(text: string): number {
  let hash = 7;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) >>> 0;
  return hash % 1024;
}
