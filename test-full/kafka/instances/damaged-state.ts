/** T8: the rows of an instance are damaged while it is dead, in every way that a disk knows. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync, truncateSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { watchPauses, type PauseWatch } from "./longest-pauses.ts";
import { rowsThere } from "./told.ts";

export async function damagedState(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t8", cluster, size, { instances: 1 });
  const [instance] = run.instances as [InstanceProcess]; // one
  const directory = run.directoryOf(0);
  const outcomes: string[] = [];
  const watch = watchPauses(run);
  instance.start();
  await instance.said(/^running/);
  for (const [name, damage] of Object.entries(damages)) {
    await run.untilOutputGrows(BACK_MS_MAX);
    // Several commits in the write-ahead log; and what an earlier life wrote becomes a table when the database is opened.
    await sleep(SETTLE_MS);
    await instance.kill();
    instance.start();
    await instance.said(/^running/);
    await run.untilOutputGrows(BACK_MS_MAX);
    await sleep(SETTLE_MS);
    await instance.kill();
    damage(directory);
    const had = instance.history.length;
    instance.start();
    // Damage that is found only when it is read ends the process: whatever runs it starts it again.
    const ends = await untilOutput(watch, instance);
    const said = instance.history.slice(had);
    const { rows, nothing } = rowsThere(said);
    const set = said.some((line) => /set aside/.test(line)) ? ", set aside" : "";
    const found = `${rows.tasks} tasks went on, ${rows.records} records, ${nothing.tasks} from nothing, ${nothing.records} records`;
    outcomes.push(`${name}: ${found}${set}${ends === 0 ? "" : `, found in use`}`);
    tell(outcomes.at(-1) ?? "", run);
  }
  await watch.stop();
  return facts(await run.end(), { damages: outcomes.join("; ") });
}

/** Resolves with how often it ended of what it found. */
async function untilOutput(watch: PauseWatch, instance: InstanceProcess): Promise<number> {
  // What was committed before it died has been seen.
  await sleep(SETTLE_MS);
  const before = watch.links;
  const until = performance.now() + BACK_MS_MAX;
  for (let ends = 0; ;) {
    if (watch.links > before) return ends;
    if (instance.over) {
      ends++;
      if (ends > ENDS_MAX) throw new Error(`it does not come back: ${instance.lines.slice(-10).join("\n")}`);
      instance.start();
    }
    if (performance.now() > until) throw new Error(`no output: ${instance.lines.slice(-10).join("\n")}`);
    await sleep(LOOK_MS);
  }
}

const ENDS_MAX = 2;
const LOOK_MS = 50;

/** Each makes something of the database unreadable, or takes it away. */
const damages: Readonly<Record<string, (directory: string) => void>> = {
  "last bytes of the write-ahead log torn off": (directory) => change(directory, /\.log$/, "truncate"),
  "a bit of the write-ahead log flipped": (directory) => change(directory, /\.log$/, "flip"),
  "a table deleted": (directory) => change(directory, /\.sst$/, "delete"),
  "a bit of a table flipped": (directory) => change(directory, /\.sst$/, "flip"),
  "CURRENT missing": (directory) => change(directory, /^CURRENT$/, "delete"),
  "MANIFEST emptied": (directory) => change(directory, /^MANIFEST/, "empty"),
  "the folder gone": (directory) => rmSync(directory, { recursive: true, force: true }),
};

/** The newest file of the database that is called so; what was set aside before is left alone. */
function change(location: string, pattern: RegExp, how: "truncate" | "flip" | "delete" | "empty"): void {
  const directory = `${location}/database`;
  const file = readdirSync(directory)
    .toSorted()
    .findLast((each) => pattern.test(each));
  if (file === undefined) throw new Error(`there is no file ${String(pattern)} in ${directory} to be damaged`);
  const path = `${directory}/${file}`;
  if (how === "delete") {
    rmSync(path);
    return;
  }
  const descriptor = openSync(path, "r+");
  const { size } = fstatSync(descriptor);
  if (how === "flip") {
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, size >> 1);
    writeSync(descriptor, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, size >> 1);
  }
  closeSync(descriptor);
  if (how !== "flip") truncateSync(path, how === "empty" ? 0 : Math.max(0, size - 100));
}
