/** Brokers of a test's own, from Kafka's jars: one or three, each to be killed and started again, with listeners for every purpose. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BrokerProcess } from "./broker-process.ts";
import { freePorts } from "./free-ports.ts";
import { JAVA_LOGGING, kafkaClassPath } from "./kafka-jars.ts";
import { serverProperties } from "./server-properties.ts";
import type { ListenerPlace } from "./server-properties.ts";
import { TcpProxy } from "./tcp-proxy.ts";

export interface ClusterUser {
  readonly username: string;
  readonly password: string;
}

export interface SecuredListener {
  readonly protocol: "SSL" | "SASL_SSL" | "SASL_PLAINTEXT";
  /** PEM of key and chain; with SSL only. */
  readonly keyStoreFile?: string;
  /** With SASL only. */
  readonly mechanism?: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER";
}

export interface KafkaClusterOptions {
  /** Default 1. With three: replication 3, two in sync. */
  readonly brokers?: 1 | 3;
  /** The finalized feature `transaction.version`; default the broker's own. */
  readonly transactionVersion?: 1 | 2;
  /** How many listeners lead through proxies, each to all brokers: one a client whose line is to be cut alone. */
  readonly proxiedListeners?: number;
  readonly secured?: Readonly<Record<string, SecuredListener>>;
  /** Who may log in at the SASL listeners. */
  readonly users?: readonly ClusterUser[];
  /** Added to every broker's settings. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Default 512, or 320 each of three. */
  readonly heapMb?: number;
}

const run = promisify(execFile);

export class KafkaCluster implements AsyncDisposable {
  readonly nodes: readonly BrokerProcess[];
  /** HOST:PORT of each broker, plain and not through a proxy. */
  readonly brokers: readonly string[];
  /** By listener, then by broker. */
  readonly proxies: readonly (readonly TcpProxy[])[];
  readonly #directory: string;
  readonly #secured: ReadonlyMap<string, readonly string[]>;

  /** Up, and every broker known to the others. Whoever starts it closes it. */
  static async start(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const directory = mkdtempSync(join(tmpdir(), "kafka-for-tests-"));
    const cluster = new KafkaCluster(await prepare(options, directory), directory);
    try {
      for (const node of cluster.nodes) node.launch();
      await Promise.all(cluster.nodes.map((node) => node.untilUp()));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  private constructor({ nodes, proxies, secured }: Prepared, directory: string) {
    this.nodes = nodes;
    this.brokers = nodes.map(({ address }) => address);
    this.proxies = proxies;
    this.#secured = secured;
    this.#directory = directory;
  }

  /** HOST:PORT of each broker through the proxies of that listener. */
  proxied(listener: number): readonly string[] {
    return (this.proxies[listener] ?? []).map(({ port }) => `127.0.0.1:${port}`);
  }

  /** HOST:PORT of each broker at that secured listener. */
  secured(name: string): readonly string[] {
    return this.#secured.get(name) ?? [];
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.resume();
    await Promise.all(this.nodes.map((node) => node.kill()));
    for (const node of this.nodes) node.close();
    await Promise.all(this.proxies.flat().map((proxy) => proxy.close()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Prepared {
  readonly nodes: readonly BrokerProcess[];
  readonly proxies: readonly (readonly TcpProxy[])[];
  readonly secured: ReadonlyMap<string, readonly string[]>;
}

async function prepare(options: KafkaClusterOptions, directory: string): Promise<Prepared> {
  const { brokers: count = 1, proxiedListeners = 0, secured = {} } = options;
  const names = Object.keys(secured);
  const perBroker = 2 + proxiedListeners * 2 + names.length;
  const ports = await freePorts(count * perBroker);
  const take = (): number => ports[taken++] ?? 0;
  let taken = 0;
  const controllers = Array.from({ length: count }, take);
  const classPath = await kafkaClassPath();
  const nodes: BrokerProcess[] = [];
  const proxies: TcpProxy[][] = Array.from({ length: proxiedListeners }, () => []);
  const addresses = new Map(names.map((name): [string, string[]] => [name, []]));
  for (let nodeId = 1; nodeId <= count; nodeId++) {
    const plain = take();
    const listeners: ListenerPlace[] = [{ name: "PLAIN", protocol: "PLAINTEXT", port: plain, advertisedPort: plain }];
    for (let index = 0; index < proxiedListeners; index++) {
      const [port, advertisedPort] = [take(), take()];
      listeners.push({ name: `PROXIED${index}`, protocol: "PLAINTEXT", port, advertisedPort });
      proxies[index]?.push(await TcpProxy.open(port, { port: advertisedPort }));
    }
    for (const name of names) {
      const port = take();
      listeners.push({ name, protocol: secured[name]?.protocol ?? "SSL", port, advertisedPort: port });
      addresses.get(name)?.push(`127.0.0.1:${port}`);
    }
    const own = join(directory, `broker-${nodeId}`);
    mkdirSync(own);
    const settings = { ...securitySettings(options), ...options.settings };
    writeFileSync(join(own, "server.properties"), serverProperties({ nodeId, directory: own, controllers, listeners, settings }));
    nodes.push(new BrokerProcess({ nodeId, classPath, directory: own, port: plain, heapMb: options.heapMb ?? (count === 1 ? 512 : 320) }));
  }
  await format(options, directory, classPath, count);
  return { nodes, proxies, secured: addresses };
}

/** One cluster id for all: two clusters would take each other for broken otherwise. */
async function format(options: KafkaClusterOptions, directory: string, classPath: string, count: number): Promise<void> {
  const java = ["-Xmx128m", "-cp", classPath, JAVA_LOGGING, "kafka.tools.StorageTool"];
  const { stdout } = await run("java", [...java, "random-uuid"]);
  const clusterId = stdout.trim().split("\n").at(-1) ?? "";
  const { transactionVersion, users = [] } = options;
  const features = transactionVersion === undefined ? [] : ["--feature", `transaction.version=${transactionVersion}`];
  const scram = users.flatMap(({ username, password }) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => ["--add-scram", `${mechanism}=[name=${username},password=${password}]`]),
  );
  const formatOne = async (nodeId: number): Promise<unknown> => {
    const properties = join(directory, `broker-${nodeId}`, "server.properties");
    return run("java", [...java, "format", "-t", clusterId, "-c", properties, ...features, ...scram]);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => formatOne(index + 1)));
}

function securitySettings({ secured = {}, users = [] }: KafkaClusterOptions): Record<string, string> {
  const settings: Record<string, string> = {};
  const mechanisms = new Set<string>();
  for (const [name, { keyStoreFile, mechanism }] of Object.entries(secured)) {
    const prefix = `listener.name.${name.toLowerCase()}`;
    if (keyStoreFile !== undefined) {
      settings[`${prefix}.ssl.keystore.type`] = "PEM";
      settings[`${prefix}.ssl.keystore.location`] = keyStoreFile;
    }
    if (mechanism === undefined) continue;
    if (mechanism === "OAUTHBEARER") settings[`${prefix}.oauthbearer.connections.max.reauth.ms`] = "3600000";
    mechanisms.add(mechanism);
    settings[`${prefix}.sasl.enabled.mechanisms`] = mechanism;
    settings[`${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`] = `${loginModule(mechanism, users)};`;
  }
  if (mechanisms.size > 0) settings["sasl.enabled.mechanisms"] = [...mechanisms].join(",");
  return settings;
}

/** Unsecured tokens are taken as they are, as long as they are good; a session lasts as long as its token. */
function loginModule(mechanism: NonNullable<SecuredListener["mechanism"]>, users: readonly ClusterUser[]): string {
  const security = "org.apache.kafka.common.security";
  if (mechanism === "OAUTHBEARER") return `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"`;
  if (mechanism !== "PLAIN") return `${security}.scram.ScramLoginModule required`;
  return `${security}.plain.PlainLoginModule required${users.map(({ username, password }) => ` user_${username}="${password}"`).join("")}`;
}
