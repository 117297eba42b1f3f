/** `demo`: the whole system live, in one process, with a compact panel. */
import type { Command } from "commander";
import pc from "picocolors";
import { policies } from "#topologies";
import { demoWorld } from "../world/demo-world.ts";
import { runDemo, type DemoPicture, type DemoTotals } from "../demo/run-demo.ts";
import { CliError } from "../errors.ts";
import { pinoLogger } from "../logging.ts";
import { verdictLines } from "../proof/prove.ts";
import { connectionSettings, kafkaLifeSettings } from "../setting-definitions.ts";
import type { Settings } from "../settings.ts";
import { endSignal } from "../system/end-signals.ts";
import { systemOptions, type SystemOptions } from "../system/open-system.ts";
import { panel } from "../terminal/panel.ts";
import { migrateOption, positiveNumber, withSettings, type CommonFlags } from "./common-flags.ts";

interface DemoFlags extends CommonFlags {
  readonly seconds?: number;
  readonly speed?: number;
  readonly data: string;
  readonly policy: string;
  readonly migrate: readonly string[];
}

export function demoCommand(program: Command): void {
  withSettings(
    program
      .command("demo")
      .description("the whole system live, on the embedded log or with --kafka; on the same --dir it goes on where it was")
      .option("--seconds <n>", "stop after the city has lived for so many real seconds", positiveNumber)
      .option("--speed <x>", "virtual seconds a second (city 60, instance 120)", positiveNumber)
      .option("--data <dir|city:SEED>", "folder of an MDRP instance, or a seeded city", "city:42")
      .addOption(migrateOption())
      .option("--policy <name>", `matching algorithm: ${Object.keys(policies).sort().join(", ")}`, "batch-matching"),
    [
      "dir",
      "disk",
      "durability",
      "threads",
      "partitions",
      "application",
      "port",
      "host",
      "log-level",
      ...connectionSettings,
      ...kafkaLifeSettings,
    ],
  ).action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const { data, policy, speed, seconds, json, migrate } = flags;
  if (policies[policy] === undefined)
    throw new CliError("USAGE", `there is no policy "${policy}"; there are: ${Object.keys(policies).sort().join(", ")}`);
  const settings = flags.settings();
  const screen = panel();
  const totals = await runDemo({
    system: demoSystem(settings),
    world: demoWorld(data, policy, speed, Date.now()),
    dropStores: migrate,
    threads: Number(settings.threads.value),
    host: settings.host.value,
    port: Number(settings.port.value),
    logger: pinoLogger(settings["log-level"].value),
    until: endSignal(),
    seconds,
    onPicture: (picture) => screen.draw(banner(settings, picture), plainLine(picture)),
  });
  screen.end();
  const sound = totals.verdicts.every(({ ok }) => ok);
  if (json === true) console.log(JSON.stringify({ ok: sound, ...totals }));
  else print(totals);
  if (!sound) throw new CliError("THRESHOLD_MISSED", "an invariant was broken; see above");
}

/** What nobody chose is as a first start wants it: quick commits, and nothing to set up before. */
function demoSystem(settings: Settings): Omit<SystemOptions, "policy"> {
  const { registry, ...rest } = systemOptions(settings);
  return {
    ...rest,
    ...(settings.durability.source === "default" ? { durability: "process" } : {}),
    ...(registry === undefined ? {} : { registry: { ...registry, register: registers(settings) } }),
  };
}

function registers(settings: Settings): boolean {
  return settings["register-schemas"].source === "default" || settings["register-schemas"].value === "yes";
}

const number = (value: number, digits: number): string => (Number.isNaN(value) ? "-" : value.toFixed(digits));

function plainLine(picture: DemoPicture): string {
  const { virtualSeconds, speed, inPerSecond, waiting, assigned, done, pickupP95Minutes, decisionP99Ms, lagRecords } = picture;
  const minutes = `${String(Math.floor(virtualSeconds / 60)).padStart(2, "0")}:${String(Math.floor(virtualSeconds % 60)).padStart(2, "0")}`;
  return `${minutes} ×${speed}  in ${number(inPerSecond, 0)}/s  waiting ${waiting}  assigned ${assigned}  done ${done}  pickup p95 ${number(pickupP95Minutes, 1)} min  decision p99 ${number(decisionP99Ms, 0)} ms  lag ${lagRecords}`;
}

function line(name: string, text: string): string {
  return `${pc.green("✔")} ${name.padEnd(9)} ${text}`;
}

function banner(settings: Settings, picture: DemoPicture): readonly string[] {
  const { url, title, log, disk, notice, partitions, resumed } = picture;
  const going = resumed ? ", going on where it was" : "";
  return [
    line("Node", process.versions.node),
    line(
      "Log",
      log === "embedded"
        ? `embedded, ${partitions} partitions${going}; commits survive the process (--durability power: power loss)`
        : `Kafka at ${settings.kafka.shown}, ${partitions} partitions${going}; exactly once by its transactions`,
    ),
    line("Schemas", schemasText(settings)),
    line("State", notice ?? (disk === "rocksdb" ? "RocksDB" : disk)),
    line("World", title),
    line("Access", "open: whoever reaches the port reads and writes, as only a demo may"),
    `  API ${pc.cyan(`${url}/docs`)}   Reads ${pc.cyan(`${url}/v1/topics`)}   Metrics ${pc.cyan(`${url}/metrics`)}`,
    `  ${plainLine(picture)}`,
  ];
}

function schemasText(settings: Settings): string {
  const { shown, value } = settings.registry;
  if (value === "" || value === "topic") return "ids on a topic of the log (--registry URL: those of a schema registry)";
  return `ids of ${shown}${registers(settings) ? "; what it did not have was registered" : ""}`;
}

function print({ tally, produced, recordsProcessed, commits, deadLetters, seconds, verdicts }: DemoTotals): void {
  const { waiting, assigned, done, cancelled, failed } = tally;
  console.log(
    `\n${seconds.toFixed(1)} s: ${produced} records produced, ${recordsProcessed} processed in ${commits} commits, ${deadLetters} dead letters`,
  );
  console.log(`jobs: ${done} done, ${assigned} under way, ${waiting} waiting, ${cancelled} cancelled, ${failed} failed\n`);
  console.log(verdictLines(verdicts).join("\n"));
}
