/** `run`: one instance of the application, in production. */
import pc from "picocolors";
import type { Command } from "commander";
import { parseTokens, tokensFromEnvironment, type Access } from "#api";
import { CliError } from "../errors.ts";
import { pinoLogger } from "../logging.ts";
import { restoreLine } from "../run/restore-progress.ts";
import { runInstance, type OpenInstance } from "../run/run-instance.ts";
import { settingNames } from "../setting-definitions.ts";
import { numberOf, type Settings } from "../settings.ts";
import { endSignal } from "../system/end-signals.ts";
import { systemOptions } from "../system/open-system.ts";
import { migrateOption, withSettings, type CommonFlags } from "./common-flags.ts";

interface RunFlags extends CommonFlags {
  readonly migrate: readonly string[];
}

const LINGER_MS_MAX = 5_000;

export function runCommand(program: Command): void {
  withSettings(
    program
      .command("run")
      .description("one instance of the application, until SIGTERM: then it drains and exits 0")
      .addOption(migrateOption()),
    settingNames,
    { json: false },
  ).action(run);
}

async function run({ settings: read, migrate }: RunFlags): Promise<void> {
  const until = endSignal();
  const settings = read();
  refuseUnclear(settings);
  const level = settings["log-level"];
  // Whoever reads the log of a service wants to know what it does.
  const logger = pinoLogger(level.source === "default" ? "info" : level.value);
  const commitIntervalMs = numberOf(settings["commit-interval"]);
  const advertise = settings.advertise.value;
  const ended = runInstance({
    system: systemOptions(settings),
    threads: Number(settings.threads.value),
    standbys: Number(settings.standbys.value),
    dropStores: migrate,
    access: access(process.env, settings["instance-token"].value),
    peers: settings.peers.value.split(",").filter((pattern) => pattern !== ""),
    host: settings.host.value,
    port: Number(settings.port.value),
    shutdownMs: Number(settings["shutdown-timeout"].value),
    logger,
    until,
    ...(commitIntervalMs === undefined ? {} : { commitIntervalMs }),
    ...(settings["instance-token"].value === "" ? {} : { instanceToken: settings["instance-token"].value }),
    ...(advertise === "" ? {} : { advertise: endpoint(advertise) }),
    onOpen: (instance) => announce(settings, instance, logger),
    onRestore: (picture) => logger.info({ ...picture }, restoreLine(picture)),
  });
  // What still holds the process after its end (a thread that hangs) does not hold it for ever.
  await ended.finally(() => setTimeout(() => process.exit(), LINGER_MS_MAX).unref());
  logger.info({}, "drained");
}

/** A service that takes the wrong log by mistake would look well and do nothing. */
function refuseUnclear({ log, kafka, registry }: Settings): void {
  if (log.value === "auto" && kafka.value === "")
    throw new CliError("USAGE", "which log? Give --kafka HOST:PORT (KAFKA_BROKERS), or --log embedded for one machine");
  if (log.value !== "embedded" && registry.value === "")
    throw new CliError(
      "USAGE",
      "which schema registry? Give --registry URL (SCHEMA_REGISTRY_URL), or --registry topic to keep ids on a topic",
    );
}

/** Without tokens only commands on this host are let in, by a token of this start in the instance's folder; and other instances. */
function access(environment: Readonly<Record<string, string | undefined>>, instanceToken: string): Access {
  try {
    const others = instanceToken === "" ? [] : parseTokens(instanceEntry(instanceToken), "SLACKLINE_INSTANCE_TOKEN");
    return { kind: "tokens", tokens: [...(tokensFromEnvironment(environment) ?? []), ...others] };
  } catch (cause) {
    throw new CliError("USAGE", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function instanceEntry(token: string): string {
  return JSON.stringify([{ name: "instance", token, scopes: ["instance"] }]);
}

function endpoint(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function announce(settings: Settings, { url, instanceId, system }: OpenInstance, logger: ReturnType<typeof pinoLogger>): void {
  const { disk, partitions, applicationId, log } = system;
  const where = log.name === "kafka" ? `Kafka at ${settings.kafka.value}` : `embedded in ${settings.dir.value}, one machine`;
  const ids = settings.registry.shown === "" || settings.registry.shown === "topic" ? "ids on a topic of the log" : settings.registry.shown;
  const rows = [
    ["Log", `${where}, ${partitions} partitions`],
    ["Schemas", ids],
    ["State", `${disk.notice ?? (disk.kind === "rocksdb" ? "RocksDB" : disk.kind)} in ${settings.dir.value}`],
    ["Instance", `${instanceId} of ${applicationId}, ${settings.threads.value} threads`],
    ["HTTP", url],
  ] as const;
  if (process.stderr.isTTY) for (const [name, text] of rows) process.stderr.write(`${pc.green("✔")} ${name.padEnd(9)} ${text}\n`);
  else logger.info(Object.fromEntries(rows.map(([name, text]) => [name.toLowerCase(), text])), "opened");
}
