/** Where a live system rests: the embedded log in a folder, or a Kafka and a folder for its state. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDisk, type DiskShare, type OwnedDisk } from "#disk";
import { openEmbeddedLog, openKafkaLog, type KafkaLogOptions, type Log } from "#log";
import { KafkaCluster } from "#log/kafka/testing";
import { topicSchemas } from "#schemas";
import { EMBEDDED_COMMIT_INTERVAL_MS, STREAM_THREAD_DEFAULTS, type ApplicationOptions, type WorkerLog } from "#streams";

export const logKinds = ["embedded", "kafka"] as const;
export type LogKind = (typeof logKinds)[number];

export interface Ground extends AsyncDisposable {
  readonly disk: OwnedDisk;
  readonly diskShare: DiskShare;
  readonly log: Log;
  /** How another thread of this process comes to the same log. */
  readonly workerLog: WorkerLog;
  readonly application: Pick<ApplicationOptions, "config" | "openLog" | "group">;
}

const BROKER_HEAP_MB = 1_024;

/** `kafka`: the broker that KAFKA_BROKERS names, with none of our topics on it; else one is started from Kafka's jars, in a process. */
export async function openGround(kind: LogKind): Promise<Ground> {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slackline-bench-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const disk = await openDisk({ location: directory, kind: "rocksdb" });
  opened.defer(() => disk.close());
  const diskShare = disk.share();
  if (diskShare === undefined) throw new RangeError("this database cannot be shared with workers");
  const rest = kind === "embedded" ? await embedded(disk, opened) : await onKafka(opened);
  const stack = opened.move();
  return { disk, diskShare, ...rest, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type LogPart = Pick<Ground, "log" | "workerLog" | "application">;

async function embedded(disk: OwnedDisk, opened: AsyncDisposableStack): Promise<LogPart> {
  const log = await openEmbeddedLog({ disk, durability: "process" });
  opened.defer(() => log.close());
  const share = log.share();
  if (share === undefined) throw new RangeError("this log cannot be shared with workers");
  return { log, workerLog: { kind: "shared", share }, application: { config: { commitIntervalMs: EMBEDDED_COMMIT_INTERVAL_MS } } };
}

async function onKafka(opened: AsyncDisposableStack): Promise<LogPart> {
  const named = process.env["KAFKA_BROKERS"];
  const cluster = named === undefined ? await KafkaCluster.start({ heapMb: BROKER_HEAP_MB }) : undefined;
  if (cluster !== undefined) opened.defer(() => cluster.close());
  const options: KafkaLogOptions = { brokers: cluster?.brokers ?? named?.split(",") ?? [], clientId: "bench-live" };
  const log = await openKafkaLog(options);
  opened.defer(() => log.close());
  if ((await log.topics.describe(topicSchemas.orders.topic)) !== undefined)
    throw new RangeError(`KAFKA_BROKERS: ${options.brokers.join(",")} has a topic ${topicSchemas.orders.topic}: give a broker without one`);
  const workerLog = { kind: "kafka", options } as const;
  const { commitIntervalMs } = STREAM_THREAD_DEFAULTS;
  return { log, workerLog, application: { config: { commitIntervalMs }, openLog: workerLog, group: {} } };
}
