/** A broker for tests: the one that KAFKA_BROKERS names, else Kafka's own jars by Maven on Java 17. */
import { execFile, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface TestBroker {
  /** HOST:PORT, one or more. */
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

export interface TestBrokerOptions {
  /** The finalized feature `transaction.version`; default the broker's own. Only for a broker of our own. */
  readonly transactionVersion?: 1 | 2;
}

const here = dirname(fileURLToPath(import.meta.url));
const cachedClassPath = join(here, "../../../node_modules/.cache/kafka-for-tests.classpath");
const JAVA_MIN = 17;
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;
const LOGGING = `-Dlog4j2.configurationFile=${join(here, "log4j2.xml")}`;
const run = promisify(execFile);

/** Undefined when a broker can be had; else why not, in words. */
export function whyNoBroker(): string | undefined {
  if (process.env["KAFKA_BROKERS"] !== undefined) return undefined;
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? "")?.[1] ?? 0);
  if (version < JAVA_MIN) return `KAFKA_BROKERS is not set, and there is no Java ${JAVA_MIN} to run one`;
  if (existsSync(cachedClassPath)) return undefined;
  if (spawnSync("mvn", ["-version"]).status !== 0) return "KAFKA_BROKERS is not set, and there is no Maven to fetch one";
  return undefined;
}

/** Ready to be connected to. Whoever starts it stops it. */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const named = process.env["KAFKA_BROKERS"];
  if (named !== undefined && options.transactionVersion === undefined) return { brokers: named.split(","), stop: () => Promise.resolve() };
  const classPath = await kafkaClassPath();
  const directory = mkdtempSync(join(tmpdir(), "kafka-for-tests-"));
  const [listener, controller] = await freePorts(2);
  const properties = join(directory, "server.properties");
  writeFileSync(properties, serverProperties({ directory, listener, controller }));
  const java = ["-cp", classPath, LOGGING];
  const { stdout } = await run("java", [...java, "kafka.tools.StorageTool", "random-uuid"]);
  const features = options.transactionVersion === undefined ? [] : ["--feature", `transaction.version=${options.transactionVersion}`];
  const clusterId = stdout.trim().split("\n").at(-1) ?? "";
  await run("java", [...java, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", properties, ...features]);
  const broker = spawn("java", ["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", ...java, "kafka.Kafka", properties], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = createWriteStream(join(directory, "broker.log"));
  broker.stdout.pipe(output, { end: false });
  broker.stderr.pipe(output, { end: false });
  const kill = (): void => void broker.kill("SIGKILL");
  process.once("exit", kill);
  try {
    await untilConnectable(broker, listener, directory);
  } catch (error) {
    broker.kill("SIGKILL");
    throw error;
  }
  return {
    brokers: [`127.0.0.1:${listener}`],
    stop: async () => {
      process.off("exit", kill);
      await stopped(broker);
      output.end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function kafkaClassPath(): Promise<string> {
  if (existsSync(cachedClassPath)) {
    const known = readFileSync(cachedClassPath, "utf8").trim();
    if (known.split(delimiter).every((jar) => existsSync(jar))) return known;
  }
  mkdirSync(dirname(cachedClassPath), { recursive: true });
  const pom = join(here, "pom.xml");
  await run("mvn", ["-B", "-q", "-f", pom, "dependency:build-classpath", `-Dmdep.outputFile=${cachedClassPath}`]);
  return readFileSync(cachedClassPath, "utf8").trim();
}

interface Places {
  readonly directory: string;
  readonly listener: number;
  readonly controller: number;
}

function serverProperties({ directory, listener, controller }: Places): string {
  const properties: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${listener},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${listener}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(directory, "data"),
    "num.partitions": 1,
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": "false",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
    "num.network.threads": 2,
    "num.io.threads": 4,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Asked of the system together, so that they differ. */
async function freePorts(count: 2): Promise<[number, number]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
        }),
    ),
  );
  return [ports[0] ?? 0, ports[1] ?? 0];
}

async function untilConnectable(broker: ChildProcess, port: number, directory: string): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  while (Date.now() < until) {
    if (broker.exitCode !== null) throw new Error(`the broker ended with ${broker.exitCode}: ${logOf(directory)}`);
    if (await connects(port)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  throw new Error(`the broker is not up after ${START_MS_MAX} ms: ${logOf(directory)}`);
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function logOf(directory: string): string {
  return readFileSync(join(directory, "broker.log"), "utf8").slice(-2000);
}

function stopped(broker: ChildProcess): Promise<void> {
  if (broker.exitCode !== null || broker.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const patience = setTimeout(() => broker.kill("SIGKILL"), STOP_MS_MAX);
    broker.once("exit", () => {
      clearTimeout(patience);
      resolve();
    });
    broker.kill("SIGTERM");
  });
}
