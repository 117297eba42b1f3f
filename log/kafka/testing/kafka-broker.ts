/** A broker for tests: the one that KAFKA_BROKERS names, else one in a container, else Kafka's own jars by Maven on Java 17. */
import { startContainerBroker, whyNoContainers } from "./container-broker.ts";
import { KafkaCluster } from "./kafka-cluster.ts";
import { whyNoJars } from "./kafka-jars.ts";

export interface TestBroker {
  /** HOST:PORT, one or more. */
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

export interface TestBrokerOptions {
  /** The finalized feature `transaction.version`; default the broker's own. Only for a broker of our own. */
  readonly transactionVersion?: 1 | 2;
}

/** Undefined when a broker can be had; else why not, in words. */
export function whyNoBroker(): string | undefined {
  if (process.env["KAFKA_BROKERS"] !== undefined) return undefined;
  const noJars = whyNoJars();
  if (noJars === undefined) return undefined;
  const noContainers = whyNoContainers();
  return noContainers === undefined ? undefined : `KAFKA_BROKERS is not set, ${noContainers}, and ${noJars}`;
}

/** Undefined when brokers can be had that a test may kill: they are processes, so they need the jars. */
export function whyNoCluster(): string | undefined {
  const noJars = whyNoJars();
  return noJars === undefined ? undefined : `brokers that are killed run from Kafka's jars, and ${noJars}`;
}

/** Ready to be connected to. Whoever starts it stops it. Says in one line why it is not in a container. */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { transactionVersion } = options;
  const named = process.env["KAFKA_BROKERS"];
  if (named !== undefined && transactionVersion === undefined) return { brokers: named.split(","), stop: () => Promise.resolve() };
  const noContainers = transactionVersion === undefined ? whyNoContainers() : "a transaction version is wished for";
  if (noContainers === undefined) return startContainerBroker();
  process.stdout.write(`Kafka runs from its own jars: ${noContainers}\n`);
  const cluster = await KafkaCluster.start(transactionVersion === undefined ? {} : { transactionVersion });
  return { brokers: cluster.brokers, stop: () => cluster.close() };
}
