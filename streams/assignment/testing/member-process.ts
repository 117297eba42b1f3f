/**
 * The program of a child process: one instance of an application on a real broker. It says what it runs, a line of JSON each time that
 * changes, and what its threads warn of; SIGTERM stops it cleanly. Argument: JSON of MemberLife.
 */
import { openDisk } from "#disk";
import { openKafkaLog } from "#log";
import { Application } from "../../runtime/application.ts";
import { silentLogger } from "../../runtime/defaults.ts";
import { taskName } from "../../task/task-id.ts";
import { countingTopology, wordTopics } from "./word-counts.ts";

export interface MemberLife {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly instanceId: string;
  readonly directory: string;
  readonly threads: number;
  readonly sessionMsMax: number;
  readonly acceptableLagRecords: number;
  /** Each thread in a worker. */
  readonly workers: boolean;
}

export interface MemberStatus {
  readonly generation: number;
  readonly running: readonly string[];
  readonly restoring: readonly string[];
  readonly following: readonly string[];
}

export type MemberSays =
  | ({ readonly kind: "status" } & MemberStatus)
  | { readonly kind: "warns"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };

const LOOK_MS = 20;
const life = JSON.parse(process.argv[2] ?? "") as MemberLife;
const { brokers, applicationId, instanceId, directory, threads, sessionMsMax, acceptableLagRecords } = life;

function say(said: MemberSays): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

const options = { brokers, clientId: instanceId, sessionMsMax, transactionMsMax: sessionMsMax, heartbeatMs: 200 };
const log = await openKafkaLog(options);
const disk = await openDisk({ location: directory });
const countingModule = { url: new URL("word-counts.ts", import.meta.url).href, name: "countingInWorker", argument: applicationId };
const application = new Application({
  topology: countingTopology(wordTopics(applicationId)),
  applicationId,
  instanceId,
  log,
  disk,
  threads,
  config: { commitIntervalMs: 50 },
  group: { assignor: { acceptableLagRecords } },
  ...(life.workers ? { workers: countingModule, openLog: { kind: "kafka", options } as const } : {}),
  onThreadFailure: () => "replace",
  logger: {
    ...silentLogger,
    warn: (fields, message) => say({ kind: "warns", message: `${message} ${"error" in fields ? String(fields.error) : ""}` }),
    error: (fields, message) => say({ kind: "warns", message: `${message} ${"error" in fields ? String(fields.error) : ""}` }),
  },
});
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
await application.start();
let told = "";
while (!stopping.signal.aborted && application.state === "running") {
  const { generation, running, restoring } = application.status;
  const followed = (await application.metrics()).flatMap(({ following }) => following ?? []);
  const status: MemberSays = {
    kind: "status",
    generation,
    running: running.map(taskName).sort(),
    restoring: restoring.map(taskName).sort(),
    following: followed
      .filter(({ role }) => role === "standby")
      .map(({ task }) => taskName(task))
      .sort(),
  };
  const line = JSON.stringify(status);
  if (line !== told) say(status);
  told = line;
  await new Promise((resolve) => {
    setTimeout(resolve, LOOK_MS);
  });
}
if (application.error !== undefined) say({ kind: "failed", message: String(application.error) });
await application.stop();
await log.close();
await disk.close();
