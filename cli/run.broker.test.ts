/** The command against a real Kafka: two instances, a city, the tools beside them, and an end in good order. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { CommandProcess, type CommandEnd } from "./testing/command-process.ts";

const why = whyNoBroker();
if (why !== undefined) process.stdout.write(`The tests of the command on Kafka are skipped: ${why}\n`);
const scratch = mkdtempSync(join(tmpdir(), "slackline-run-"));
const living = new Set<CommandProcess>();

const ASKER = "may-ask-for-anybody";
let broker: TestBroker;

function start(...args: readonly string[]): CommandProcess {
  const command = new CommandProcess(args, {
    KAFKA_BROKERS: broker.brokers.join(","),
    SCHEMA_REGISTRY_URL: "topic",
    SLACKLINE_PARTITIONS: "2",
    SLACKLINE_PEERS: "127.0.0.1:*",
    SLACKLINE_INSTANCE_TOKEN: "between-the-instances",
    SLACKLINE_TOKENS: JSON.stringify([{ name: "asker", token: ASKER, scopes: ["query"] }]),
  });
  living.add(command);
  return command;
}

const instance = (name: string): CommandProcess =>
  start("run", "--dir", join(scratch, name), "--port", "0", "--session-timeout", "6000", "--transaction-timeout", "6000");
const run = (...args: readonly string[]): Promise<CommandEnd> => start(...args).ended;

async function untilReady(url: string, tasks: (count: number) => boolean): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    const { reason = "" } = ((await answer?.json().catch(() => undefined)) ?? {}) as { readonly reason?: string };
    const [, count] = /^running (\d+) tasks/.exec(reason) ?? [];
    if (answer?.ok === true && count !== undefined && tasks(Number(count))) return;
    await moment();
  }
}

async function topicsByDoctor(): Promise<unknown> {
  const { out } = await run("doctor", "--json", "--dir", join(scratch, "nobody"));
  return (JSON.parse(out) as readonly { readonly check: string }[]).find(({ check }) => check === "Topics");
}

/** Status of an answer about a driver; whoever has not heard of the last assignment yet says when to ask again. */
async function askFor(driverId: string, url: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    const { status } = await fetch(`${url}/v1/drivers/${driverId}`, { headers: { authorization: `Bearer ${ASKER}` } });
    if (status !== 503 || tries === 100) return status;
    await moment();
  }
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

describe.skipIf(why !== undefined)("the command on Kafka", () => {
  beforeAll(async () => {
    broker = await startTestBroker();
  });
  afterAll(async () => {
    for (const each of living) each.signal("SIGKILL");
    await broker?.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  });

  test("topics are missing, created, and as wanted", { timeout: 180_000 }, async () => {
    expect((await run("topics", "check")).code).toBe(1);
    const dry = await run("topics", "create", "--dry-run", "--json");
    expect((JSON.parse(dry.out) as readonly { readonly state: string }[]).every(({ state }) => state === "missing")).toBe(true);
    expect((await run("topics", "check")).code).toBe(1);
    expect(await topicsByDoctor()).toEqual({ check: "Topics", status: "warn", found: expect.stringContaining("slackline topics create") });
    expect((await run("topics", "create")).code).toBe(0);
    expect(await topicsByDoctor()).toMatchObject({ status: "ok" });
    expect(await run("topics", "check")).toMatchObject({ code: 0, err: "" });
  });

  test(
    "two instances share the tasks of a city; one drains and the other has all; no invariant is broken, nothing stays behind",
    { timeout: 300_000 },
    async () => {
      const [first, second] = [instance("first"), instance("second")];
      const [one, two] = [await first.url(), await second.url()];
      await untilReady(one, (count) => count > 0 && count < 9);
      await untilReady(two, (count) => count > 0 && count < 9);
      // Of either partition, at either instance: what one has not, it asks the other for.
      for (const driverId of ["nobody-1", "nobody-2", "nobody-3", "nobody-4", "nobody-5", "nobody-6"])
        expect([driverId, await askFor(driverId, one), await askFor(driverId, two)]).toEqual([driverId, 404, 404]);
      const city = start("world", "--seconds", "20", "--prove", "--json");
      const refused = await run("reset", "--dry-run", "--dir", join(scratch, "nobody"));
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("members that are alive") });
      const drained = await second.stop();
      expect(drained.code, drained.err).toBe(0);
      expect(drained.err).toContain('"msg":"drained"');
      await untilReady(one, (count) => count === 9);
      const { code, out } = await city.ended;
      expect(code, out).toBe(0);
      const metrics = await (await fetch(`${one}/metrics`)).text();
      expect(metrics).toMatch(/slackline_records_processed_total\{thread="0"\} [1-9]/);
      expect((await fetch(`${one}/v1/topics`)).status).toBe(401);
      for (let tries = 0; ; tries++) {
        const lag = JSON.parse((await run("lag", "--json")).out) as readonly { readonly records: number; readonly seconds: number }[];
        expect(lag.length).toBeGreaterThan(9);
        // A tick of the clock may be on its way.
        if (lag.every(({ seconds }) => seconds < 5)) break;
        expect(tries).toBeLessThan(10);
      }
      expect((await first.stop()).code).toBe(0);
    },
  );

  test("a reset empties what was between and begins again with the inputs", { timeout: 300_000 }, async () => {
    const done = await run("reset", "--dir", join(scratch, "first"));
    expect(done.code, done.err).toBe(0);
    const plan = JSON.parse((await run("reset", "--dry-run", "--json")).out) as {
      readonly offsets: readonly { readonly topic: string; readonly from: number; readonly to: number }[];
      readonly emptied: readonly { readonly records: number }[];
    };
    expect(plan.emptied.reduce((sum, { records }) => sum + records, 0)).toBe(0);
    expect(plan.offsets.filter(({ from, to }) => from !== to)).toEqual([]);
    const again = instance("first");
    await untilReady(await again.url(), (count) => count === 9);
    expect((await again.stop()).code).toBe(0);
  });

  test("a broker that is not there is status 3, and the second signal ends at once", { timeout: 180_000 }, async () => {
    const { code, err } = await run("lag", "--kafka", "127.0.0.1:1");
    expect([code, err]).toEqual([3, expect.stringContaining("LOG_UNAVAILABLE")]);
    const stubborn = start("run", "--dir", join(scratch, "stubborn"), "--port", "0");
    await stubborn.url();
    stubborn.signal("SIGTERM");
    stubborn.signal("SIGINT");
    expect((await stubborn.ended).code).toBe(1);
  });
});
