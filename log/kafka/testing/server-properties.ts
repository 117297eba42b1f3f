/** Settings of one broker of a test cluster: small, quick to elect, quick to end what is left open. */
import { join } from "node:path";

export type ListenerProtocol = "PLAINTEXT" | "SSL" | "SASL_SSL" | "SASL_PLAINTEXT";

export interface ListenerPlace {
  /** Upper-case letters and digits. */
  readonly name: string;
  readonly protocol: ListenerProtocol;
  readonly port: number;
  /** What clients are told; another one than `port` where a proxy is between. */
  readonly advertisedPort: number;
}

export interface BrokerPlaces {
  readonly nodeId: number;
  readonly directory: string;
  /** Of all brokers, in the order of their ids from 1 on. */
  readonly controllers: readonly number[];
  /** The first is the brokers' own. */
  readonly listeners: readonly ListenerPlace[];
  /** Added to, and preferred over, everything else. */
  readonly settings: Readonly<Record<string, string | number>>;
}

const HOST = "127.0.0.1";

/** The text of `server.properties`. */
export function serverProperties({ nodeId, directory, controllers, listeners, settings }: BrokerPlaces): string {
  const replicas = Math.min(3, controllers.length);
  const inSync = Math.max(1, replicas - 1);
  const all: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": nodeId,
    "controller.quorum.voters": controllers.map((port, index) => `${index + 1}@${HOST}:${port}`).join(","),
    "controller.listener.names": "CONTROLLER",
    listeners: [
      ...listeners.map(({ name, port }) => `${name}://${HOST}:${port}`),
      `CONTROLLER://${HOST}:${controllers[nodeId - 1]}`,
    ].join(),
    "advertised.listeners": listeners.map(({ name, advertisedPort }) => `${name}://${HOST}:${advertisedPort}`).join(),
    "listener.security.protocol.map": [...listeners.map(({ name, protocol }) => `${name}:${protocol}`), "CONTROLLER:PLAINTEXT"].join(),
    "inter.broker.listener.name": listeners[0]?.name ?? "",
    "log.dirs": join(directory, "data"),
    "num.partitions": 1,
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": inSync,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": "false",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
    "num.network.threads": 2,
    "num.io.threads": 4,
    // A broker that was killed is missed after six seconds, not nine. Shorter ones are lost by busy machines too.
    "broker.session.timeout.ms": 6000,
    "broker.heartbeat.interval.ms": 1000,
    "replica.lag.time.max.ms": 10_000,
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
