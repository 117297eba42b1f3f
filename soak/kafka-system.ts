/** Instances of `run` and a `world` on one real broker from Kafka's jars. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { proveSystem } from "./prove-system.ts";
import { sampleOf } from "./sample.ts";
import { SoakedProcess } from "./soaked-process.ts";
import { CLEAN, type SoakedSystem, type SoakedSystemOptions } from "./soaked-system.ts";

const PARTITIONS = 3;
const SESSION_MS = 6_000;
const START_MS_MAX = 120_000;
const DRAIN_MS_MAX = 60_000;
const LOOK_MS = 500;
/** So that what is too old or compacted away gives its room back. */
const SEGMENT_BYTES = 16 * 1024 * 1024;

export async function kafkaSystem({ directory, instances: count, seed }: SoakedSystemOptions): Promise<SoakedSystem> {
  mkdirSync(directory, { recursive: true });
  // The broker's own folder is made where temporary files go: under the soak's, whose size is watched.
  process.env["TMPDIR"] = directory;
  const cluster = await KafkaCluster.start({ settings: { "log.segment.bytes": SEGMENT_BYTES } });
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("there is no broker");
  const environment = {
    KAFKA_BROKERS: cluster.brokers.join(","),
    SCHEMA_REGISTRY_URL: "topic",
    SLACKLINE_PARTITIONS: String(PARTITIONS),
  };
  const logs = join(directory, "logs");
  const life = ["--session-timeout", String(SESSION_MS), "--transaction-timeout", String(SESSION_MS), "--port", "0"];
  const instances = Array.from({ length: count }, (_, index) => {
    const own = join(directory, `instance-${index + 1}`);
    return new SoakedProcess({ name: `instance ${index + 1}`, words: ["run", "--dir", own, ...life], environment, directory: own, logs });
  });
  const world = new SoakedProcess({ name: "world", words: ["world", "--data", `city:${seed}`], environment, directory: undefined, logs });
  return {
    title: `${count} instances of \`run\` and a \`world\` (city:${seed}) on one broker of Kafka, ${PARTITIONS} partitions, session ${SESSION_MS / 1_000} s`,
    instances,
    helpers: [world],
    broker: {
      kill: () => node.kill(),
      stop: () => node.stop(),
      start: () => node.start(),
      pause: () => node.pause(),
      resume: () => node.resume(),
    },
    async start() {
      for (const instance of instances) {
        instance.start();
        await untilServing(instance);
      }
      world.start();
    },
    async finish() {
      const problems: string[] = [];
      // How it ends is its own affair: what it said counts, and that is proved.
      await world.signal("SIGTERM");
      await untilDrained(instances);
      for (const instance of instances) {
        const { status, signal } = await instance.signal("SIGTERM");
        if (status !== CLEAN)
          problems.push(`${instance.name} ended with ${signal ?? `status ${status}`}: ${instance.lastWords.slice(-600)}`);
      }
      return problems;
    },
    prove: () =>
      proveSystem({
        directory: join(directory, "prover"),
        kind: "auto",
        durability: "process",
        partitions: PARTITIONS,
        kafka: { brokers: cluster.brokers, clientId: "prover" },
      }),
    [Symbol.asyncDispose]: async () => {
      for (const each of [world, ...instances]) {
        await each.signal("SIGKILL");
        each.close();
      }
      await cluster.close();
    },
  };
}

async function untilServing(instance: SoakedProcess): Promise<void> {
  for (const until = Date.now() + START_MS_MAX; instance.url === undefined; await sleep(LOOK_MS))
    if (instance.over || Date.now() > until) throw new Error(`${instance.name} does not serve: ${instance.lastWords}`);
}

/** A tick of the clock may always be on its way. */
async function untilDrained(instances: readonly SoakedProcess[]): Promise<void> {
  const until = Date.now() + DRAIN_MS_MAX;
  for (let calm = 0; calm < 3 && Date.now() < until; await sleep(LOOK_MS)) {
    const samples = await Promise.all(instances.map(({ url }) => (url === undefined ? Promise.resolve(undefined) : sampleOf(url))));
    calm = samples.every((sample) => sample !== undefined && sample.lagRecords < 100) ? calm + 1 : 0;
  }
}
