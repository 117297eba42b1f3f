/** Is this machine fit? Each check says what it found and, when it is not well, what to type. */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { openDisk } from "#disk";
import { loadHttpRegistry } from "#schemas";
import { ExitCode } from "../exit-code.ts";
import type { Settings } from "../settings.ts";
import { livingProcess } from "../inspect/living-process.ts";
import { connectionSettings } from "../setting-definitions.ts";
import { kafkaOptions, registryEndpoint } from "../system/connections.ts";
import { openKafka, partitionsOf, topicTable } from "../system/open-log-alone.ts";
import { compiledSubjects } from "../system/open-registry.ts";
import { planTopics } from "../topics/topic-plan.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
}

const freeBytesLeast = 1_000_000_000;

export function doctorCommand(program: Command): void {
  withSettings(program.command("doctor").description("is this machine fit to run Slackline"), [
    "dir",
    "port",
    "host",
    "application",
    "partitions",
    ...connectionSettings,
  ]).action(async (flags: CommonFlags) => {
    const settings = flags.settings();
    const findings = [
      node(),
      await storage(),
      folder(settings),
      space(settings),
      await port(settings),
      clock(),
      ...(await connections(settings)),
    ];
    if (flags.json === true) console.log(JSON.stringify(findings));
    else for (const { check, status, found } of findings) console.log(`${mark(status)} ${check.padEnd(8)} ${found}`);
    if (findings.some(({ status }) => status === "fail")) process.exitCode = ExitCode.failedThreshold;
  });
}

function mark(status: Finding["status"]): string {
  return status === "ok" ? pc.green("✔") : status === "warn" ? pc.yellow("!") : pc.red("✘");
}

function node(): Finding {
  const fit = Number(process.versions.node.split(".")[0]) >= 24;
  return {
    check: "Node",
    status: fit ? "ok" : "fail",
    found: fit ? process.versions.node : `${process.versions.node}; 24 is needed: npm rebuild node`,
  };
}

async function storage(): Promise<Finding> {
  const location = mkdtempSync(join(tmpdir(), "slackline-doctor-"));
  try {
    await using disk = await openDisk({ location, kind: "auto" });
    const batch = disk.batch();
    batch.put("rows", Buffer.from("key"), Buffer.from("value"));
    disk.write(batch, { sync: true });
    const read = disk.get("rows", Buffer.from("key"))?.toString();
    if (read !== "value")
      return { check: "Storage", status: "fail", found: `${disk.kind} returned ${read ?? "nothing"} for a row just written` };
    return disk.kind === "rocksdb"
      ? { check: "Storage", status: "ok", found: "RocksDB" }
      : { check: "Storage", status: "warn", found: `${disk.kind}: RocksDB has no binary for this machine; correct, but slower` };
  } catch (error) {
    return { check: "Storage", status: "fail", found: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(location, { recursive: true, force: true });
  }
}

function folder(settings: Settings): Finding {
  const directory = settings.dir.value;
  const living = livingProcess(directory);
  return {
    check: "Folder",
    status: "ok",
    found: living === undefined ? `${directory} is not in use` : `process ${living.pid} lives in ${directory}, at ${living.url}`,
  };
}

function space(settings: Settings): Finding {
  let path = settings.dir.value;
  for (;;) {
    try {
      const { bavail, bsize } = statfsSync(path);
      const free = bavail * bsize;
      return { check: "Space", status: free >= freeBytesLeast ? "ok" : "warn", found: `${(free / 1e9).toFixed(1)} GB free` };
    } catch {
      path = join(path, ".."); // the folder is made at the first start: its parent's volume counts
      if (path === "..") path = ".";
    }
  }
}

async function port(settings: Settings): Promise<Finding> {
  const wanted = Number(settings.port.value);
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(wanted, settings.host.value, () => server.close(() => resolve(true)));
  });
  return {
    check: "Port",
    status: free ? "ok" : "warn",
    found: free ? `${wanted} is free` : `${wanted} is taken; the next free one will be used`,
  };
}

/** Only what the settings name. */
async function connections(settings: Settings): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (kafkaOptions(settings) !== undefined) findings.push(...(await kafka(settings)));
  const endpoint = registryEndpoint(settings);
  if (endpoint !== undefined)
    findings.push(
      await found("Registry", async () => {
        const loaded = await loadHttpRegistry({ endpoint, subjects: compiledSubjects(settings.application.value) });
        return `every schema of this program is registered, ${loaded.length} versions in all`;
      }),
    );
  return findings;
}

async function kafka(settings: Settings): Promise<readonly Finding[]> {
  let there: number | undefined;
  const reached = await found("Kafka", async () => {
    await using log = await openKafka(settings);
    there = (await log.topics.list()).length;
    return `${there} topics at ${settings.kafka.shown}`;
  });
  return there === undefined ? [reached] : [reached, await topics(settings)];
}

/** Missing ones are no fault: `demo` and `run` create them where they may. */
async function topics(settings: Settings): Promise<Finding> {
  const check = "Topics";
  try {
    await using log = await openKafka(settings);
    const plan = await planTopics(log, topicTable(settings.application.value, await partitionsOf(log, settings)));
    const differing = plan.filter(({ state }) => state === "differs").map(({ name, difference }) => `${name}: ${difference}`);
    const missing = plan.filter(({ state }) => state === "missing").length;
    if (differing.length > 0)
      return { check, status: "fail", found: `${differing.length} of ${plan.length} are there otherwise: ${differing.join("; ")}` };
    if (missing > 0) return { check, status: "warn", found: `${missing} of ${plan.length} are missing: slackline topics create` };
    return { check, status: "ok", found: `${plan.length} of ${settings.application.value}, as wanted` };
  } catch (error) {
    return { check, status: "fail", found: error instanceof Error ? error.message : String(error) };
  }
}

async function found(check: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, status: "ok", found: await look() };
  } catch (error) {
    return { check, status: "fail", found: error instanceof Error ? error.message : String(error) };
  }
}

function clock(): Finding {
  const year = new Date().getUTCFullYear();
  return { check: "Clock", status: year >= 2024 ? "ok" : "fail", found: new Date().toISOString() };
}
