/** The command as a person or a script meets it: a process with arguments, output and an exit status. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";

// Processes start as fast as the machine lets them.
vi.setConfig({ testTimeout: 120_000 });
const scratch = mkdtempSync(join(tmpdir(), "slackline-cli-"));
const main = resolve("cli/main.ts");
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  readonly pid: number;
  readonly ended: Promise<Outcome>;
  signal(name: NodeJS.Signals): void;
}

interface Manner {
  readonly command?: string;
  readonly script?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

function start(args: readonly string[], { command = process.execPath, script = main, environment = {} }: Manner = {}): Running {
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
  const child = spawn(command, [script, ...args], {
    cwd: scratch,
    env: { ...inherited, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<Outcome>((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => done({ code, out, err }));
  });
  return { pid: child.pid ?? 0, ended, signal: (name) => void child.kill(name) };
}

const run = (...args: readonly string[]): Promise<Outcome> => start(args).ended;

/** What the command printed is what the test is about to check. */
function json<T>({ out, err }: Outcome): T {
  expect(err).not.toMatch(/Error/);
  return JSON.parse(out) as T;
}

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly found: string;
}
interface TopicRow {
  readonly name: string;
  readonly partitions: number;
  readonly records: number;
}
interface Totals {
  readonly ok: boolean;
  readonly resumed: boolean;
  readonly recordsProcessed: number;
}

describe.concurrent("the command", () => {
  test("shows every setting with its source", async ({ expect }) => {
    const environment = { PORT: "7555", SLACKLINE_THREADS: "2" };
    const outcome = await start(["config", "--json", "--threads", "3"], { environment }).ended;
    expect(outcome).toMatchObject({ code: 0, err: "" });
    const sources = json<readonly { name: string; value: string; source: string }[]>(outcome).map((row) => [
      row.name,
      row.value,
      row.source,
    ]);
    expect(sources).toContainEqual(["threads", "3", "flag"]);
    expect(sources).toContainEqual(["port", "7555", "environment"]);
    expect(sources).toContainEqual(["durability", "power", "default"]);
  });

  test("draws the topology as text and as Mermaid", async ({ expect }) => {
    for (const [args, first] of [
      [[], /^\S/],
      [["--mermaid"], /^flowchart/],
    ] as const) {
      const { code, out } = await run("topology", ...args);
      expect(code).toBe(0);
      expect(out).toMatch(first);
      expect(out).toContain("dispatch.matching-input.v1");
    }
  });

  test("says whether this machine is fit", async ({ expect }) => {
    const outcome = await run("doctor", "--json", "--port", "0");
    const findings = json<readonly Finding[]>(outcome);
    expect(findings.map(({ check }) => check)).toEqual(["Node", "Storage", "Folder", "Space", "Port", "Clock"]);
    expect(findings.filter(({ status, found }) => status === "fail" || found === "")).toEqual([]);
    expect(outcome.code).toBe(0);
  });

  test.for([
    [["bogus"], "bogus"],
    [["demo", "--seconds", "soon"], "soon"],
    [["demo", "--policy", "luck"], "batch-matching, nearest"],
    [["demo", "--migrate", "everything"], "drop-store=NAME"],
    [["config", "--threads", "0"], "1 to 64"],
    [["simulate", "--data", "nowhere"], "orders.txt"],
  ] as const)("%j cannot be used: status 2 and one sentence", async ([args, told], { expect }) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(told);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  test("in a folder that holds nothing it says so with status 3, what to type, and makes nothing", async ({ expect }) => {
    const empty = join(scratch, "empty");
    mkdirSync(empty);
    for (const dir of [empty, join(scratch, "missing")]) {
      const { code, out, err } = await run("topic", "ls", "--dir", dir);
      expect([code, out]).toEqual([3, ""]);
      expect(err).toContain(dir);
      expect(err).toContain("npm run demo -- --dir");
    }
    expect(readdirSync(empty)).toEqual([]);
  });

  test("starts on its own Node from any other, and passes arguments, output and status through", async ({ expect, skip }) => {
    const outer = outerNode();
    skip(outer === undefined, "no Node older than 24 on the PATH: the command would run on it itself");
    const shim = { command: outer ?? "", script: resolve("bin/slackline.cjs") };
    const outcome = await start(["doctor", "--json", "--port", "0"], shim).ended;
    expect(outcome.code).toBe(0);
    expect(json<readonly Finding[]>(outcome)[0]).toMatchObject({ check: "Node", status: "ok", found: process.versions.node });
    expect(await start(["bogus"], shim).ended).toMatchObject({ code: 2, out: "" });
  });
});

describe("beside and after a demo", () => {
  const dir = join(scratch, "demo");
  const demo = (...more: readonly string[]): Running =>
    start(["demo", "--dir", dir, "--port", "0", "--partitions", "2", "--speed", "20", "--json", ...more]);
  const inside = (...args: readonly string[]): Promise<Outcome> => run(...args, "--dir", dir);
  let ordersOfTheFirst = 0;

  test("the living process answers, and says when it is interrupted what it did", { timeout: 120_000 }, async () => {
    const running = demo("--seconds", "600");
    await jobsIn(await addressIn(dir));
    const during = await look();
    expect(during.folder).toContain(`process ${running.pid}`);
    const second = await demo("--seconds", "1").ended;
    expect(second).toMatchObject({ code: 3, out: "" });
    expect(second.err).toMatch(new RegExp(`^DISK_LOCKED .*process ${running.pid}`));

    running.signal("SIGINT");
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect(ended.err).toContain("World");
    const totals = json<Totals>(ended);
    expect(totals).toMatchObject({ ok: true, resumed: false });
    expect(totals.recordsProcessed).toBeGreaterThan(200);
    expect(readdirSync(dir)).not.toContain("address.json");
    ordersOfTheFirst = during.orders;
  });

  test("the folder is opened when nobody lives in it", async () => {
    const after = await look();
    expect(after.folder).toContain("not in use");
    expect(after.orders).toBeGreaterThanOrEqual(ordersOfTheFirst);
    ordersOfTheFirst = after.orders;
  });

  test("what cannot be found is named, with the status of its kind", async () => {
    const topic = await inside("topic", "tail", "none");
    expect(topic).toEqual({ code: 2, out: "", err: 'TOPIC_NOT_FOUND no topic "none" in this log; slackline topic ls lists them\n' });
    const store = await inside("state", "get", "none", "k");
    expect(store.code).toBe(2);
    expect(store.err).toMatch(/^STORE_NOT_FOUND no store "none"; there are: .*jobs/);
    expect(await inside("state", "get", "jobs", "nobody")).toMatchObject({ code: 1, out: "" });
  });

  test("an address that a killed process left behind is no obstacle", async () => {
    // Our own id stands for a process that was given the dead one's.
    writeFileSync(join(dir, "address.json"), JSON.stringify({ pid: process.pid, url: "http://127.0.0.1:9" }));
    expect((await inside("topic", "ls", "--json")).code).toBe(0);
  });

  test("the next demo in the folder goes on, as long as it was told to", { timeout: 120_000 }, async () => {
    const ended = await demo("--seconds", "3").ended;
    expect(ended.code).toBe(0);
    expect(ended.err).toContain("going on where it was");
    expect(json<Totals>(ended)).toMatchObject({ ok: true, resumed: true });
    expect(topicOf(await inside("topic", "ls", "--json"), "dispatch.orders.v1").records).toBeGreaterThanOrEqual(ordersOfTheFirst);
  });

  /** Every read, whoever answers it. */
  async function look(): Promise<{ readonly orders: number; readonly folder: string }> {
    const all: Outcome[] = [];
    // One after the other: without a living process each opens the folder itself.
    for (const args of [
      ["topic", "ls", "--json"],
      ["topic", "tail", "dispatch.orders.v1", "--partition", "0", "--last", "1", "--json"],
      ["state", "range", "jobs", "--limit", "1"],
      ["lag", "--json"],
      ["doctor", "--json", "--port", "0"],
    ])
      all.push(await inside(...args));
    expect(all.map(({ code, err }) => ({ code, err }))).toEqual(all.map(() => ({ code: 0, err: "" })));
    const [topics, tail, range, lag, doctor] = all as [Outcome, Outcome, Outcome, Outcome, Outcome]; // as many as were asked
    const { partitions, records } = topicOf(topics, "dispatch.orders.v1");
    expect(partitions).toBe(2);
    expect(json(tail)).toMatchObject({ topic: "dispatch.orders.v1", partition: 0, value: { type: "OrderPlaced" } });
    const { key } = json<{ readonly key: string }>(range);
    expect(json(await inside("state", "get", "jobs", key, "--json"))).toMatchObject({ key });
    const behind = json<readonly { readonly records: number }[]>(lag).map((row) => row.records);
    expect(Math.min(...behind)).toBeGreaterThanOrEqual(0);
    return { orders: records, folder: json<readonly Finding[]>(doctor).find(({ check }) => check === "Folder")?.found ?? "" };
  }
});

function topicOf(topics: Outcome, name: string): TopicRow {
  const row = json<readonly TopicRow[]>(topics).find((each) => each.name === name);
  if (row === undefined) throw new Error(`no topic ${name} in ${topics.out}`);
  return row;
}

const patienceMs = 25_000;
const pauseMs = 50;

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() - begun > patienceMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, pauseMs));
  }
}

const addressIn = (dir: string): Promise<string> =>
  until("a process that lives in the folder", async () => {
    try {
      return (JSON.parse(readFileSync(join(dir, "address.json"), "utf8")) as { readonly url: string }).url;
    } catch {
      return undefined; // not written yet, or half
    }
  });

/** Resolves when orders of the first partition have become jobs. */
const jobsIn = (url: string): Promise<true> =>
  until("a job", async () => {
    const [jobs, orders] = await Promise.all(
      ["/v1/stores/jobs?limit=1", "/v1/topics/dispatch.orders.v1/records?partition=0&last=1"].map(
        async (path) => (await (await fetch(url + path)).json()) as readonly unknown[],
      ),
    );
    return jobs?.length === 1 && orders?.length === 1 ? true : undefined;
  });

/** A Node on the PATH that is too old to run the command, outside the folders that npm puts before. */
function outerNode(): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter((each) => !each.includes("node_modules"))) {
    const candidate = join(folder, "node");
    try {
      const version = execFileSync(candidate, ["--version"], { encoding: "utf8" });
      if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) return candidate;
    } catch {
      // No node in this folder.
    }
  }
  return undefined;
}
