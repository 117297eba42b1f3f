/** `reset`: an application forgets what it knows and reads its inputs from their start. */
import { existsSync, rmSync } from "node:fs";
import type { Command } from "commander";
import { holdsDatabase } from "#disk";
import { CliError } from "../errors.ts";
import { livingProcess } from "../inspect/living-process.ts";
import { connectionSettings } from "../setting-definitions.ts";
import { dispatchTopology } from "../system/dispatch-topology.ts";
import { openKafka, partitionsOf } from "../system/open-log-alone.ts";
import { table } from "../terminal/table.ts";
import { carryOutReset, planReset, type ResetPlan } from "../topics/reset-plan.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

interface ResetFlags extends CommonFlags {
  readonly dryRun?: boolean;
}

export function resetCommand(program: Command): void {
  withSettings(
    program
      .command("reset")
      .description("forget the state of an application on Kafka and let it read its inputs again; what it wrote for others stays"),
    ["application", "partitions", "dir", ...connectionSettings],
  )
    .option("--dry-run", "only print topics, offsets and folder")
    .action(reset);
}

async function reset({ settings: read, dryRun, json }: ResetFlags): Promise<void> {
  const settings = read();
  const [application, directory] = [settings.application.value, settings.dir.value];
  await using log = await openKafka(settings);
  const options = { log, topology: dispatchTopology(await partitionsOf(log, settings)), application };
  const plan = await planReset(options);
  const folder = existsSync(directory) && holdsDatabase(directory) ? directory : undefined;
  if (json === true) console.log(JSON.stringify({ ...plan, folder }));
  else print(plan, folder);
  const living = livingProcess(directory);
  if (living !== undefined) throw new CliError("THRESHOLD_MISSED", `process ${living.pid} lives in ${directory}: stop it first`);
  if ((await log.offsets.hasMembers?.(application)) === true)
    throw new CliError("THRESHOLD_MISSED", `${application} has members that are alive: stop every instance first`);
  if (dryRun === true) return;
  await carryOutReset(options, plan);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  if (json !== true) console.log("Done. Folders of other instances may stay: they follow the changelogs, whose keys are deleted.");
}

function print({ offsets, emptied, changelogs }: ResetPlan, folder: string | undefined): void {
  console.log(
    table(
      ["input", "partition", "committed", "begins again at"],
      offsets.map(({ topic, partition, from, to }) => [topic, partition, from ?? "-", to]),
    ),
  );
  const sums = new Map<string, number>();
  for (const { topic, records } of [...emptied, ...changelogs]) sums.set(topic, (sums.get(topic) ?? 0) + records);
  const protocol = new Set(emptied.map(({ topic }) => topic));
  const rows = [...sums].map(([topic, records]) => [topic, records, protocol.has(topic) ? "records are deleted" : "every key is deleted"]);
  console.log(`\n${table(["topic", "records", "what becomes of it"], rows)}`);
  console.log(`\nfolder: ${folder === undefined ? "none here" : `${folder} is deleted`}`);
  console.log("Topics that others read are not touched: what follows from the inputs is written to them again.");
}
