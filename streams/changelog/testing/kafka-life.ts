/**
 * The program of a child process: the ledger application on a real cluster, which kills itself (SIGKILL) at a named moment, or ends
 * with 0 when it has read everything. Argument: JSON of KafkaLife.
 */
import { openDisk, type Disk } from "#disk";
import { openKafkaLog, type CommitRequest, type Log, type Writer } from "#log";
import { Application } from "../../runtime/application.ts";
import { silentLogger } from "../../runtime/defaults.ts";
import { ledgerTopics, ledgerTopology } from "./ledger-topology.ts";

export type KafkaDeath = "before-commit" | "in-commit" | "before-rows" | "after-rows" | "in-restore";

export interface KafkaLife {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly instanceId: string;
  readonly directory: string;
  readonly death?: KafkaDeath;
  /** Of the commits or row batches that the death is about. */
  readonly nth: number;
}

const life = JSON.parse(process.argv[2] ?? "") as KafkaLife;
const { death, nth, brokers, applicationId, instanceId, directory } = life;
let commits = 0;
let writes = 0;

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

function mortalWriter(inner: Writer): Writer {
  return {
    initialize: () => inner.initialize(),
    append: (...record) => inner.append(...record),
    savepoint: () => inner.savepoint(),
    rollback: () => inner.rollback(),
    get bufferedBytes() {
      return inner.bufferedBytes;
    },
    async commit(request: CommitRequest) {
      const due = ++commits === nth;
      if (due && death === "before-commit") die();
      const committed = inner.commit(request);
      // Somewhere between the first request and the answer.
      if (due && death === "in-commit") setTimeout(die, nth % 5);
      await committed;
      if (due && death === "before-rows") die();
    },
    committedEnd: (at) => inner.committedEnd?.(at),
    close: () => inner.close(),
  };
}

function mortalDisk(inner: Disk): Disk {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "write") return value.bind(target) as unknown;
      return (...parameters: Parameters<Disk["write"]>): void => {
        target.write(...parameters);
        writes++;
        if ((death === "after-rows" && commits >= nth) || (death === "in-restore" && writes >= nth)) die();
      };
    },
  });
}

const log = await openKafkaLog({ brokers, clientId: instanceId });
const mortalLog: Log = new Proxy(log, {
  get(target, name) {
    if (name === "writer") return (options: Parameters<Log["writer"]>[0]) => mortalWriter(target.writer(options));
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === "function" ? (value.bind(target) as unknown) : value;
  },
});
const disk = await openDisk({ location: directory });
const application = new Application({
  topology: ledgerTopology(ledgerTopics(`${applicationId}-`)),
  applicationId,
  instanceId,
  log: mortalLog,
  disk: mortalDisk(disk),
  config: { commitIntervalMs: 25, commitBytesMax: 64 * 1024 },
  logger: { ...silentLogger, error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
});
await application.start();
for (let idle = 0; idle < 5;) {
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  if (application.error !== undefined) throw application.error;
  const metrics = await application.metrics();
  const busy = metrics.some(({ lag, following, bufferedRecords }) => {
    const open = lag.length < 2 || (following ?? []).length > 0 || bufferedRecords > 0;
    return open || lag.some(({ records }) => records > 1);
  });
  idle = busy ? 0 : idle + 1;
}
await application.stop();
await log.close();
await disk.close();
