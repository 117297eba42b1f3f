/** `lag`: in records and seconds, by task; on Kafka from the group's offsets, on a folder from whoever lives in it. */
import type { Command } from "commander";
import { withInspector } from "../inspect/open-inspector.ts";
import { connectionSettings } from "../setting-definitions.ts";
import type { Settings } from "../settings.ts";
import { kafkaOptions } from "../system/connections.ts";
import { dispatchTopology } from "../system/dispatch-topology.ts";
import { openKafka, partitionsOf } from "../system/open-log-alone.ts";
import { table } from "../terminal/table.ts";
import { lagRows } from "../topics/lag-rows.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

/** What is known of a partition; a folder's process tells no task and no time before it has them. */
interface ShownLag {
  readonly task?: string;
  readonly topic: string;
  readonly partition: number;
  readonly committed: number;
  readonly end: number;
  readonly records: number;
  readonly seconds?: number;
}

export function lagCommand(program: Command): void {
  withSettings(program.command("lag").description("how far the application is behind its sources, in records and seconds"), [
    "dir",
    "disk",
    "application",
    "partitions",
    ...connectionSettings,
  ]).action(async (flags: CommonFlags) => {
    const settings = flags.settings();
    const rows = await (kafkaOptions(settings) === undefined ? ofFolder(settings) : ofKafka(settings));
    if (flags.json === true) return console.log(JSON.stringify(rows));
    console.log(
      table(
        ["task", "topic", "partition", "committed", "end", "records", "seconds"],
        rows.map(({ task = "-", topic, partition, committed, end, records, seconds }) => [
          task,
          topic,
          partition,
          committed,
          end,
          records,
          seconds === undefined ? "-" : seconds.toFixed(1),
        ]),
      ),
    );
    const oldest = Math.max(0, ...rows.map(({ seconds = 0 }) => seconds));
    console.log(`${rows.reduce((sum, { records }) => sum + records, 0)} records behind, the oldest ${oldest.toFixed(1)} s old`);
  });
}

async function ofKafka(settings: Settings): Promise<readonly ShownLag[]> {
  await using log = await openKafka(settings);
  const topology = dispatchTopology(await partitionsOf(log, settings));
  return await lagRows(log, topology, settings.application.value, Date.now());
}

function ofFolder(settings: Settings): Promise<readonly ShownLag[]> {
  return withInspector(settings, (inspector) => inspector.lag());
}
