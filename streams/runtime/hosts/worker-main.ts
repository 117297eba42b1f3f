/** The program of a worker: attaches the shared database and log, builds the topology anew, and runs one stream thread. */
import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { attachDisk, type Disk } from "#disk";
import { attachEmbeddedLog, openKafkaLog, type Log } from "#log";
import type { Topology } from "../../dsl/builder.ts";
import { createGroupThread } from "../../assignment/group-thread.ts";
import type { RowFeedMessage } from "../../query/row-feed.ts";
import { realClock } from "../defaults.ts";
import { scaledClock } from "../scaled-clock.ts";
import { InThreadHost } from "./in-thread-host.ts";
import { createStreamThread } from "../stream-thread.ts";
import type { StructuredLogger, ThreadDependencies } from "../thread.ts";
import { portableError, portableFields } from "./worker-messages.ts";
import type { FromWorker, ToWorker, TopologyFactory, TopologyModule, WorkerLog, WorkerStart } from "./worker-messages.ts";

const port = parentPort;
assert(port, "this module is the program of a worker");
const say = (message: FromWorker): void => port.postMessage(message);

const relay =
  (level: "debug" | "info" | "warn" | "error") =>
  (fields: object, message: string): void =>
    say({ kind: "log", level, fields: portableFields(fields), message });

const logger: StructuredLogger = { debug: relay("debug"), info: relay("info"), warn: relay("warn"), error: relay("error") };

await work().then(
  (error) => say({ kind: "ended", error: error === undefined ? undefined : portableError(error) }),
  (error: unknown) => say({ kind: "ended", error: portableError(error) }),
);
// Nothing else is left to do: the loop ends, and the thread with it.
port.close();

async function work(): Promise<Error | undefined> {
  // Only WorkerHost starts this program.
  const start = workerData as WorkerStart;
  const disk = attachDisk(start.disk);
  try {
    const log = await openLog(start.log, disk);
    try {
      const topology = await loadTopology(start.topology, { log, disk });
      return await run(start, { topology, log, disk });
    } finally {
      await log.close();
    }
  } finally {
    await disk.close();
  }
}

async function run(
  { config, tasks, time, fedStores }: WorkerStart,
  dependencies: { readonly topology: Topology; readonly log: Log; readonly disk: Disk },
): Promise<Error | undefined> {
  const given = { config, dependencies: { ...dependencies, stepClock: () => realClock.monotonic(), logger, ...feedOf(fedStores) } };
  const thread =
    tasks.kind === "static"
      ? createStreamThread({ ...given, assignment: tasks.assignment })
      : createGroupThread({ ...given, group: tasks.group, onStatus: (status) => say({ kind: "status", status }) });
  const host = new InThreadHost({
    number: config.thread,
    thread,
    log: dependencies.log,
    clock: time === undefined ? realClock : scaledClock(time),
    onState: (state) => say({ kind: "state", state }),
  });
  port?.on("message", (message: ToWorker) => {
    if (message.kind === "stop") host.stop();
    else if (message.kind === "pause") host.setPaused(message.paused);
    else say({ kind: "metrics", metrics: thread.metrics() });
  });
  const error = await host.ended;
  say({ kind: "metrics", metrics: thread.metrics() });
  return error;
}

function feedOf(stores: readonly string[] | undefined): Pick<ThreadDependencies, "rowFeed"> {
  return stores === undefined ? {} : { rowFeed: { stores, tell: tellOfRows } };
}

/** The bytes of rows are given away: nobody here needs them any more. */
function tellOfRows(message: RowFeedMessage): void {
  port?.postMessage({ kind: "rows", message } satisfies FromWorker, message.kind === "committed" ? [message.rows.buffer] : []);
}

async function loadTopology(
  { url, name, argument }: TopologyModule,
  { log, disk }: { readonly log: Log; readonly disk: Disk },
): Promise<Topology> {
  const exported: Readonly<Record<string, unknown>> = await import(url);
  const factory = exported[name];
  assert(typeof factory === "function", `${url} exports no function ${name}`);
  // The name is the caller's word that it is a TopologyFactory.
  return (factory as TopologyFactory)({ log, disk, argument });
}

function openLog(choice: WorkerLog, disk: Disk): Promise<Log> {
  switch (choice.kind) {
    case "shared":
      return Promise.resolve(attachEmbeddedLog(choice.share, disk));
    case "kafka":
      return openKafkaLog(choice.options);
    default:
      return choice satisfies never;
  }
}
