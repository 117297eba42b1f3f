/** Our side: the same topology with our engine in a worker, until SIGTERM. Its words and lines are the Java anchor's. */
import { parseArgs } from "node:util";
import { openDisk } from "#disk";
import { openKafkaLog, type KafkaLogOptions } from "#log";
import { Application, silentLogger, type StructuredLogger } from "#streams";
import { positionTopology, type PositionTopologyOptions, type TopologyName } from "./position-topologies.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [name = "presence", brokers = "", applicationId = "", directory = "", input = "", output = "", threads = "1", sessionMs = "10000"] =
  positionals;

const options: KafkaLogOptions = { brokers: brokers.split(","), clientId: applicationId, sessionMsMax: Number(sessionMs) };
const topology: PositionTopologyOptions = { name: name as TopologyName, input, output }; // TypeScript cannot know the words
const disk = await openDisk({ location: directory });
const log = await openKafkaLog(options);
/** All stores together: they are restored side by side. */
const restored = { records: 0, ms: 0 };
const logger: StructuredLogger = {
  ...silentLogger,
  info: (fields, message) => {
    if (message !== "the rows of a task are there") return;
    const { records, ms } = fields as { readonly records: number; readonly ms: number }; // as the engine logs it
    restored.records += records;
    restored.ms = Math.max(restored.ms, ms);
    say(`restored ${restored.records} ${restored.ms}`);
  },
};
const application = new Application({
  logger,
  topology: positionTopology(topology),
  applicationId,
  // As the anchor: whoever comes back after a kill takes its own place in the group.
  instanceId: "anchor",
  log,
  disk,
  threads: Number(threads),
  workers: { url: new URL("position-topologies.ts", import.meta.url).href, name: "buildPositionTopology", argument: topology },
  openLog: { kind: "kafka", options },
  onThreadFailure: (error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`);
    return "replace";
  },
});
process.once("SIGTERM", () => void application.stop());
say("starting");
await application.start();
say("running");
await application.ended;
await log.close();
await disk.close();
if (application.error !== undefined) throw application.error;

function say(what: string): void {
  process.stdout.write(`${what}\n`);
}
