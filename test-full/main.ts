/**
 * `npm run test:full [-- --only NAME,…] [--items WORD,…] [--size full|small] [--data DIR] [--seed N] [--processes N]
 * [--demo-kills N] [--writer-kills N]`: the proofs that take hours, or only their items whose names begin with such a word. Stopped at
 * any moment, it goes on where it was; exit 1 if a proof failed.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { mdrpInstances, progress, runInChildren } from "#cli";
import { codeName, codeState } from "./code-state.ts";
import { openLedger, type Ledger } from "./ledger.ts";
import type { Finding, Proof, ProofContext } from "./proof.ts";
import type { ProofJob } from "./proof-child.ts";
import { allProofs } from "./proofs/all-proofs.ts";
import { Work } from "./work.ts";
import { reportText, verdictOf, type ProofState } from "./report.ts";

interface Flags {
  readonly only?: string;
  readonly items?: string;
  readonly size: string;
  readonly data?: string;
  readonly seed: string;
  readonly processes?: string;
  readonly demoKills: string;
  readonly writerKills: string;
}

const flags = new Command("test:full")
  .description("The proofs that take minutes to hours. Stopped at any moment, they go on where they were; the report is in docs/reports.")
  .option("--only <names>", `of ${allProofs.map(({ name }) => name).join(", ")}; default: all`)
  .option("--items <words>", "only items whose names begin with one of these words")
  .option("--size <size>", "full, or small: everything once, and nothing but that it works", "full")
  .option("--data <dir>", "the published delivery days; without it their proofs are skipped")
  .option("--seed <N>", "what chance there is follows from it", "42")
  .option("--processes <N>", "how many at once; default: as many as cores")
  .option("--demo-kills <N>", "how often the demo is killed", "50")
  .option("--writer-kills <N>", "how often a writer is killed", "200")
  .parse()
  .opts<Flags>();

const SHOW_MS = 5_000;
const defaultData = join("..", "shared", "data");

process.exitCode = await main();

async function main(): Promise<number> {
  const only = flags.only?.split(",") ?? allProofs.map(({ name }) => name);
  const unknown = only.filter((name) => !allProofs.some((proof) => proof.name === name));
  if (unknown.length > 0) {
    console.error(`USAGE there is no proof "${unknown.join(", ")}"; there are: ${allProofs.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const { size } = flags;
  if (size !== "full" && size !== "small") {
    console.error(`USAGE there is no size "${size}": full or small`);
    return 2;
  }
  const code = codeState();
  const ledger = openLedger(join(".test-full", `${codeName(code)}.jsonl`));
  const context: ProofContext = {
    instances: instancesOf(flags.data ?? process.env["SLACKLINE_DATA"]),
    seed: Number(flags.seed),
    demoKills: Number(flags.demoKills),
    writerKills: Number(flags.writerKills),
    size,
  };
  const stateOf = (proof: Proof): ProofState => {
    const names = new Set(proof.items(context).map(({ name }) => name));
    const entries = ledger.entries(proof.name).filter(({ item }) => names.has(item));
    return { proof, entries, itemCount: names.size, skipped: skipReason(proof, context) };
  };
  const write = (own?: Proof): string => {
    const now = codeState();
    const codeChangedMeanwhile = codeName(now) !== codeName(code);
    const head = { date: Date.now(), code: codeName(code), codeChangedMeanwhile, seed: context.seed, instances: context.instances.length };
    const day = new Date(head.date).toISOString().slice(0, 10);
    const name = [day, ...(own === undefined ? [] : [own.name]), ...(size === "full" ? [] : [size]), head.code].join("-");
    const file = join("docs", "reports", `${name}.md`);
    mkdirSync(join("docs", "reports"), { recursive: true });
    const proofs = own === undefined ? allProofs.filter(({ ownReport }) => ownReport !== true) : [own];
    writeFileSync(file, reportText(head, proofs.map(stateOf)));
    return file;
  };
  const files = new Set<string>();
  for (const proof of allProofs.filter(({ name }) => only.includes(name))) {
    const reason = skipReason(proof, context);
    if (reason === undefined) await run(proof, context, ledger);
    else console.log(`${proof.name}: skipped: ${reason}`);
    // After each: who stops here has a report of what is there.
    files.add(write(proof.ownReport === true ? proof : undefined));
  }
  const states = allProofs.filter(({ name }) => only.includes(name)).map(stateOf);
  for (const state of states) console.log(`${verdictOf(state).padEnd(10)} ${state.proof.name}`);
  for (const file of files) console.log(`report: ${file}`);
  return states.some((state) => verdictOf(state) === "FAILED") ? 1 : 0;
}

async function run(proof: Proof, context: ProofContext, ledger: Ledger): Promise<void> {
  const all = proof.items(context);
  const words = flags.items?.split(",");
  const items = all.filter(
    ({ name }) => ledger.find(proof.name, name) === undefined && words?.some((word) => beginsWith(name, word)) !== false,
  );
  const jobs = items.map(({ name, job }) => ({ proof: proof.name, job, item: name }));
  const work = new Work(items);
  let done = 0;
  let failed = 0;
  const before = all.filter(({ name }) => ledger.find(proof.name, name) !== undefined).length;
  const label = before > 0 ? `${proof.name} (${before} of ${all.length} done before)` : proof.name;
  const bar = progress({ label, total: work.total, unit: work.unit });
  const show = (): void => bar.update(work.done(), work.total, `${done} of ${items.length} items, ${failed} failed`);
  const showing = setInterval(show, SHOW_MS);
  const processes = flags.processes === undefined ? proof.processes : Math.min(Number(flags.processes), proof.processes ?? Infinity);
  await runInChildren<ProofJob & { readonly item: string }, Finding>(
    {
      program: new URL("proof-child.ts", import.meta.url),
      jobs,
      jobSecondsMax: proof.itemSecondsMax,
      ...(proof.freshProcesses === true ? { jobsPerProcess: 1 } : {}),
      ...(processes === undefined ? {} : { processes }),
    },
    ({ item }, outcome) => {
      const { ok, facts }: Finding = outcome.ok ? outcome.result : { ok: false, facts: { broken: outcome.error } };
      ledger.add({ proof: proof.name, item, ok, seconds: outcome.seconds, facts });
      if (!ok) console.error(`\n${proof.name}, ${item}: ${String(facts["broken"]).slice(0, 2_000)}`);
      done++;
      failed += ok ? 0 : 1;
      work.finished(item);
      show();
    },
  );
  clearInterval(showing);
  bar.end(`${failed} failed`);
}

function instancesOf(data: string | undefined): readonly string[] {
  if (data !== undefined) return mdrpInstances(data);
  return existsSync(defaultData) ? mdrpInstances(defaultData) : [];
}

function skipReason({ needs }: Proof, { instances }: ProofContext): string | undefined {
  if (needs === "nothing" || instances.length > 0) return undefined;
  return "There are no MDRP instances: name their folder by --data or SLACKLINE_DATA";
}

/** "T1" is no beginning of "T10 …". */
function beginsWith(name: string, words: string): boolean {
  return name.startsWith(words) && !/^\w/.test(name.slice(words.length));
}
