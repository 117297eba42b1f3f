/** `demo`: the whole system live, in one process, with a compact panel. */
import { InvalidArgumentError, type Command } from "commander";
import pc from "picocolors";
import { policies } from "#topologies";
import { demoWorld } from "../demo/demo-world.ts";
import { runDemo, type DemoPicture, type DemoTotals } from "../demo/run-demo.ts";
import { CliError } from "../errors.ts";
import { pinoLogger } from "../logging.ts";
import { verdictLines } from "../proof/prove.ts";
import { connectionSettings } from "../setting-definitions.ts";
import { systemOptions } from "../system/open-system.ts";
import { panel } from "../terminal/panel.ts";
import { positiveNumber, withSettings, type CommonFlags } from "./common-flags.ts";

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
      .option("--seconds <n>", "stop after so many real seconds", positiveNumber)
      .option("--speed <x>", "virtual seconds a second (city 60, instance 120)", positiveNumber)
      .option("--data <dir|city:SEED>", "folder of an MDRP instance, or a seeded city", "city:42")
      .option("--migrate <drop-store=NAME>", "go on although the topology has changed, without this store; may be repeated", dropStore, [])
      .option("--policy <name>", `matching algorithm: ${Object.keys(policies).sort().join(", ")}`, "batch-matching"),
    ["dir", "disk", "durability", "threads", "partitions", "application", "port", "host", "log-level", ...connectionSettings],
  ).action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const { data, policy, speed, seconds, json, migrate } = flags;
  if (policies[policy] === undefined)
    throw new CliError("USAGE", `there is no policy "${policy}"; there are: ${Object.keys(policies).sort().join(", ")}`);
  const settings = flags.settings();
  const durable = settings.durability.source === "default" ? ("process" as const) : undefined;
  const screen = panel();
  const totals = await runDemo({
    system: { ...systemOptions(settings), ...(durable === undefined ? {} : { durability: durable }) },
    world: demoWorld(data, policy, speed, Date.now()),
    dropStores: migrate,
    threads: Number(settings.threads.value),
    host: settings.host.value,
    port: Number(settings.port.value),
    logger: pinoLogger(settings["log-level"].value),
    until: endOf(seconds),
    onPicture: (picture) => screen.draw(banner(picture), plainLine(picture)),
  });
  screen.end();
  const sound = totals.verdicts.every(({ ok }) => ok);
  if (json === true) console.log(JSON.stringify({ ok: sound, ...totals }));
  else print(totals);
  if (!sound) throw new CliError("THRESHOLD_MISSED", "an invariant was broken; see above");
}

function dropStore(text: string, before: readonly string[]): readonly string[] {
  const [, name] = /^drop-store=(.+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Not drop-store=NAME.");
  return [...before, name];
}

/** After so many seconds, or at the first SIGINT or SIGTERM; the second signal ends the process at once. */
function endOf(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = seconds === undefined ? undefined : setTimeout(resolve, seconds * 1000);
    // A day that ends by itself does not wait for it.
    timer?.unref();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        clearTimeout(timer);
        resolve();
        process.once(signal, () => process.exit(1));
      });
    }
  });
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

function banner(picture: DemoPicture): readonly string[] {
  const { url, title, log, disk, notice, partitions, resumed } = picture;
  return [
    line("Node", process.versions.node),
    line(
      "Log",
      `${log}, ${partitions} partitions${resumed ? ", going on where it was" : ""}; ${log === "embedded" ? "commits survive the process (--durability power: power loss)" : "exactly once by its transactions"}`,
    ),
    line("State", notice ?? (disk === "rocksdb" ? "RocksDB" : disk)),
    line("World", title),
    line("Access", "open: whoever reaches the port reads and writes, as only a demo may"),
    `  API ${pc.cyan(`${url}/docs`)}   Reads ${pc.cyan(`${url}/v1/topics`)}   Metrics ${pc.cyan(`${url}/metrics`)}`,
    `  ${plainLine(picture)}`,
  ];
}

function print({ tally, produced, recordsProcessed, commits, deadLetters, seconds, verdicts }: DemoTotals): void {
  const { waiting, assigned, done, cancelled, failed } = tally;
  console.log(
    `\n${seconds.toFixed(1)} s: ${produced} records produced, ${recordsProcessed} processed in ${commits} commits, ${deadLetters} dead letters`,
  );
  console.log(`jobs: ${done} done, ${assigned} under way, ${waiting} waiting, ${cancelled} cancelled, ${failed} failed\n`);
  console.log(verdictLines(verdicts).join("\n"));
}
