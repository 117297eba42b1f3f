/**
 * One instance of the chain application, to be killed. Words: a JSON of InstanceOptions. Lines on the standard output: "running", and
 * what the engine logs. SIGTERM stops it.
 */
import { parseArgs } from "node:util";
import { openDisk } from "#disk";
import { openKafkaLog, type KafkaLogOptions } from "#log";
import { Application, type StructuredLogger } from "#streams";
import { chainNames, chainTopology } from "./chain-topology.ts";
import type { InstanceOptions } from "./instance-process.ts";

const [json = ""] = parseArgs({ allowPositionals: true }).positionals;
const { applicationId, instanceId, brokers, directory, sessionMs, transactionMs, workers, reserveBytes, kafka } = JSON.parse(
  json,
) as InstanceOptions; // from InstanceProcess

const say = (level: string) => (fields: object, message: string) =>
  void process.stdout.write(
    `${level} ${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? `${value.message} < ${String(value.cause)}` : value))}\n`,
  );
const logger: StructuredLogger = { debug() {}, info: say("info"), warn: say("warn"), error: say("error") };

const names = chainNames(applicationId);
const options: KafkaLogOptions = {
  brokers,
  clientId: `${applicationId}-${instanceId}`,
  sessionMsMax: sessionMs,
  transactionMsMax: transactionMs,
  ...kafka,
};
const disk = await openDisk({ location: directory, onDamage: "set-aside" });
if (disk.damage !== undefined) logger.warn({ ...disk.damage }, "damaged rows are set aside");
const log = await openKafkaLog(options);
const application = new Application({
  topology: chainTopology(names),
  applicationId,
  instanceId,
  log,
  disk,
  logger,
  ...(reserveBytes === undefined ? {} : { config: { reserveBytes } }),
  ...(workers
    ? {
        workers: { url: new URL("chain-topology.ts", import.meta.url).href, name: "buildChainTopology", argument: names },
        openLog: { kind: "kafka", options },
      }
    : {}),
  onThreadFailure: () => "replace",
});
process.once("SIGTERM", () => void application.stop());
await application.start();
process.stdout.write("running\n");
await application.ended;
await log.close();
await disk.close();
if (application.error !== undefined) throw application.error;
process.stdout.write("stopped\n");
