/** The demo on a broker and nothing else: it makes its topics, proves what it did, and goes on after kill -9. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Verdict } from "#proof";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { CommandProcess } from "./testing/command-process.ts";

interface Totals {
  readonly ok: boolean;
  readonly resumed: boolean;
  readonly produced: number;
  readonly commits: number;
  readonly deadLetters: number;
  readonly verdicts: readonly Verdict[];
}

const why = whyNoBroker();
const scratch = mkdtempSync(join(tmpdir(), "slackline-demo-"));
let broker: TestBroker;
let last: CommandProcess | undefined;

function demo(...words: readonly string[]): CommandProcess {
  const where = ["--kafka", broker.brokers.join(","), "--dir", join(scratch, "demo"), "--partitions", "2", "--port", "0"];
  last = new CommandProcess(["demo", ...where, "--session-timeout", "6000", "--transaction-timeout", "6000", ...words]);
  return last;
}

describe.skipIf(why !== undefined)(`the demo on a broker${why === undefined ? "" : `: ${why}`}`, () => {
  beforeAll(async () => {
    broker = await startTestBroker();
  });
  afterAll(async () => {
    last?.signal("SIGKILL");
    await broker?.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  });

  test("it makes its topics, says what it uses, and ends with totals and proofs", { timeout: 300_000 }, async () => {
    const { code, out, err } = await demo("--seconds", "10", "--json").ended;
    expect(code, err).toBe(0);
    expect(err).toContain(`Kafka at ${broker.brokers.join(",")}, 2 partitions`);
    expect(err).toContain("ids on a topic of the log");
    const totals = JSON.parse(out) as Totals;
    expect(totals).toMatchObject({ ok: true, resumed: false, deadLetters: 0 });
    expect(totals.produced).toBeGreaterThan(100);
    expect(totals.commits).toBeGreaterThan(1);
    expect(totals.verdicts.map(({ invariant, ok }) => [invariant, ok])).toEqual(
      ["D1", "D2", "D3", "D4", "D5", "life"].map((name) => [name, true]),
    );
  });

  test("killed, it goes on where it was; another application does not mix its people in", { timeout: 300_000 }, async () => {
    const killed = demo("--json");
    // The first picture and a second one: it lives.
    await killed.said(/lag \d+\n[^]*lag \d+/);
    expect((await killed.kill()).signal).toBe("SIGKILL");
    const again = await demo("--seconds", "3", "--json").ended;
    expect(again.code, again.err).toBe(0);
    expect(again.err).toContain("going on where it was");
    expect(JSON.parse(again.out) as Totals).toMatchObject({ ok: true, resumed: true });
    const other = await demo("--application", "another", "--dir", join(scratch, "another"), "--seconds", "1").ended;
    expect(other.code).toBe(2);
    expect(other.err).toContain("--application NAME");
  });
});
