/** kill -9 of the whole demo at random moments under load: the folder goes on as if nothing had been, and the log proves it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkEvents, checkStateFold, demoWorld, openSystem, prove, readTopic, type System } from "#cli";
import { DemoProcess, type DemoEnd } from "../kills/demo-process.ts";
import { SeenLog } from "../kills/seen-log.ts";
import type { Finding, Proof } from "../proof.ts";
import { seededDraws } from "../seeded-draws.ts";
import { fixture } from "./days-of.ts";

export interface KillCampaign {
  readonly data: string;
  readonly speed: number;
  readonly kills: number;
  readonly seed: string;
  /** Of the last run, unless nothing is left to do before. */
  readonly lastSeconds: number;
  /** After it, everything must have ended. */
  readonly drained: boolean;
}

/** Share of kills that fall into the start, while the past is read. */
const startShare = 0.2;
const startMsMax = 2_000;
const liveMsMax = 2_500;
const startUpMsMax = 60_000;
const askEveryMs = 50;
const runSeconds = 600;

export const demoKills: Proof<KillCampaign> = {
  name: "demo-kills",
  claim:
    "the demo's process is killed by kill -9 at random moments and started again on its folder: nothing that was readable is lost, nothing is done twice, the invariants hold over the whole log, and state equals a fold of it",
  needs: "nothing",
  processes: 1,
  itemSecondsMax: 7_200,
  items: ({ demoKills: kills, seed }) => [
    {
      name: `${kills} kills of a city`,
      job: { data: "city:42", speed: 60, kills, seed: `${seed} city`, lastSeconds: 10, drained: false },
    },
    {
      name: `${Math.ceil(kills / 4)} kills of a day that ends`,
      // An order that nobody could take ends at its deadline, eight hours after it was placed: 48 s at this speed.
      job: { data: fixture, speed: 600, kills: Math.ceil(kills / 4), seed: `${seed} day`, lastSeconds: 120, drained: true },
    },
  ],
  async prove(campaign) {
    const directory = mkdtempSync(join(tmpdir(), "slackline-demo-kills-"));
    try {
      return await runCampaign(directory, campaign);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  tell: (entries) =>
    entries.map(({ item, ok, facts }) => {
      const told = Object.entries(facts).filter(([name]) => name !== "broken");
      return `- ${item}: ${ok ? "held" : "FAILED"}. ${told.map(([name, value]) => `${name} ${value}`).join(", ")}.`;
    }),
};

async function runCampaign(directory: string, campaign: KillCampaign): Promise<Finding> {
  const seen = new SeenLog();
  const broken: string[] = [];
  const draws = seededDraws(campaign.seed, 2 * campaign.kills);
  let killed = 0;
  let end: DemoEnd | undefined;
  while (killed < campaign.kills && end === undefined) {
    const demo = new DemoProcess({ directory, ...campaign, seconds: runSeconds });
    end = await liveAndKill(demo, seen, draws[2 * killed] ?? 0, draws[2 * killed + 1] ?? 0);
    if (end === undefined) killed++;
    if (killed > 0) broken.push(...(await look(directory, (system) => seen.read(system))).map((what) => `after kill ${killed}: ${what}`));
  }
  end ??= await new DemoProcess({ directory, ...campaign, seconds: campaign.lastSeconds }).ended();
  if (end.status !== 0) broken.push(`the last run ended with ${end.signal ?? `status ${end.status}`}: ${end.stderr.slice(-1_000)}`);
  const verdict = await look(directory, (system) => judge(system, campaign, seen));
  broken.push(...verdict.broken);
  const facts = { kills: killed, ...verdict.facts, broken: broken.slice(0, 20).join("; ") };
  return { ok: broken.length === 0 && killed > 0, facts };
}

/** Undefined when it was killed; otherwise it ended by itself first. */
async function liveAndKill(demo: DemoProcess, seen: SeenLog, where: number, when: number): Promise<DemoEnd | undefined> {
  const atStart = where < startShare;
  const begun = performance.now();
  if (!atStart) while (demo.url === undefined && !demo.over && performance.now() - begun < startUpMsMax) await sleep(askEveryMs);
  const killAt = performance.now() + when * (atStart ? startMsMax : liveMsMax);
  while (performance.now() < killAt && !demo.over) {
    if (demo.url !== undefined) await seen.ask(demo.url);
    await sleep(Math.max(0, Math.min(askEveryMs, killAt - performance.now())));
  }
  const end = await demo.kill();
  return end.signal === "SIGKILL" ? undefined : end;
}

async function look<T>(directory: string, at: (system: System) => Promise<T>): Promise<T> {
  await using system = await openSystem({ directory, kind: "auto", durability: "process", partitions: 12 });
  return await at(system);
}

async function judge(system: System, { data, speed, drained }: KillCampaign, seen: SeenLog) {
  const lost = await seen.read(system);
  const changed = [...lost, ...(await seen.reread(system))];
  const verdicts = await prove(system.log, system.topics, { quiescent: drained });
  const fold = await checkStateFold(system);
  const events = await checkEvents(system);
  const demand = await checkDemand(system, data, speed);
  const broken = [
    ...changed,
    ...verdicts.flatMap(({ invariant, violations }) => violations.map((sentence) => `${invariant} ${sentence}`)),
    ...fold.violations,
    ...events.violations,
    ...demand.broken,
  ];
  const facts = {
    "records reread": seen.records,
    "facts of the invariants": verdicts.reduce((sum, { checked }) => sum + checked, 0),
    "rows folded": fold.checked,
    "input records": events.checked,
    "said again": events.saidAgain,
    "orders and rides": demand.checked,
  };
  return { broken, facts };
}

/**
 * What customers ask for does not depend on dispatch: a fresh world of the same seed says what must be in the topics, up to the
 * last thing that the killed ones said. All that is due is said in one step, so nothing before it may be missing.
 */
async function checkDemand({ log, topics }: System, data: string, speed: number) {
  const said = new Map<string, number>();
  let first = Infinity;
  let last = -Infinity;
  const span = (timestamp: number): void => {
    first = Math.min(first, timestamp);
    last = Math.max(last, timestamp);
  };
  for (const records of [readTopic(log, topics.orders), readTopic(log, topics.rides)])
    for await (const { timestamp, value } of records) {
      span(timestamp);
      said.set(value.eventId, (said.get(value.eventId) ?? 0) + 1);
    }
  for await (const { timestamp } of readTopic(log, topics.driverEvents)) span(timestamp);
  const world = demoWorld(data, "batch-matching", speed, first).create(first);
  const asked = world.run(last).filter(({ topic }) => topic === "orders" || topic === "rides");
  const broken: string[] = [];
  for (const { value } of asked) {
    if (!said.delete(value.eventId)) broken.push(`${value.eventId} was never said`);
  }
  for (const eventId of said.keys()) broken.push(`${eventId} was said, and nobody asked for it`);
  return { checked: asked.length, broken };
}
