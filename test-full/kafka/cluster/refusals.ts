/** T12. What brokers refuse for good or for a while: too much, too large, not allowed, a certificate that is over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterOperator, KafkaCluster, TestAuthority, type Right } from "#log/kafka/testing";
import type { ChainRun } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { TrafficCount } from "./traffic.ts";

const THROTTLED_MS_A_ROUND = 10_000;
/** For each link a second that came through without a quota: about a twelfth of what these took. */
const QUOTA_BYTES_A_LINK = 14;
const ROUTED_BYTES_MAX = 20_000;
/** Kafka's own. */
const MESSAGE_BYTES_BEFORE = 1_048_588;
const LOWERED_MAX = 3;
/** A client that is refused asks again after a pause: with the few sockets of one instance never more than this. */
const CONNECTIONS_A_SECOND_MAX = 30;
const alice = { username: "alice", password: "a-secret-of-alice" };
const PRINCIPAL = "User:alice";

/** A quota that the load is far above: less comes through for that time, nothing is lost, nobody hurries. */
export async function throttled(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers, proxiedListeners: 1 });
  await using operator = new ClusterOperator(cluster.brokers);
  await using run = await begin("t12-throttle", cluster, size, { instances: 1, brokersOf: () => cluster.proxied(0) });
  await startAll(run);
  const client = `${run.applicationId}-i0`;
  const [instance] = run.instances as readonly [InstanceProcess];
  const count = new TrafficCount(cluster.proxies.flat());
  const throttledMs = THROTTLED_MS_A_ROUND * size.rounds;
  const [before, lines] = [await run.linksNow(), instance.history.length];
  const free = await count.during(() => sleep(THROTTLED_MS_A_ROUND));
  const freely = ((await run.linksNow()) - before) / (THROTTLED_MS_A_ROUND / 1_000);
  const quota = Math.max(1_000, Math.round(freely * QUOTA_BYTES_A_LINK));
  await operator.limitClient(client, { producer_byte_rate: quota, consumer_byte_rate: quota });
  const limitedFrom = await run.linksNow();
  const limited = await count.during(() => sleep(throttledMs));
  const slowly = ((await run.linksNow()) - limitedFrom) / (throttledMs / 1_000);
  await operator.limitClient(client, undefined);
  tell("throttled", run);
  const againMs = await run.untilOutputGrows(BACK_MS_MAX);
  if (slowly > freely / 2) throw new Error(`the quota did not bite: ${slowly} links a second after ${freely}`);
  if (limited.connectionsPerSecond > CONNECTIONS_A_SECOND_MAX)
    throw new Error(`${limited.connectionsPerSecond} connections in a second of being throttled`);
  const dropped = instance.history.slice(lines).filter((line) => line.startsWith("warn uncommitted work is dropped")).length;
  return facts(await run.end(), {
    "quota, bytes a second": quota,
    "links a second before": Math.round(freely),
    "links a second under the quota": Math.round(slowly),
    "requests a second before, at most": free.requestsPerSecond,
    "requests a second under the quota, at most": limited.requestsPerSecond,
    "connections tried a second, at most": limited.connectionsPerSecond,
    "commits given up": dropped,
    "output again, ms": Math.round(againMs),
  });
}

/** A limit that is lowered under a running application, and records above it: they are dead-lettered, the rest goes on in order. */
export async function tooLarge(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using operator = new ClusterOperator(cluster.brokers);
  await using run = await begin("t12-large", cluster, size, { instances: 1 });
  const [instance] = run.instances as readonly [InstanceProcess];
  await startAll(run);
  await run.settled();
  let refused = 0;
  for (let attempt = 0; attempt < LOWERED_MAX && refused === 0; attempt++) {
    await operator.setTopicConfig(run.names.routed, "max.message.bytes", `${MESSAGE_BYTES_BEFORE}`);
    // It knows the limit from its start. Whatever makes it look again before the first of these records comes leaves brokers nothing to refuse.
    if (attempt > 0) {
      await instance.stop();
      instance.start();
      await instance.said(/^running/);
    }
    await operator.setTopicConfig(run.names.routed, "max.message.bytes", `${ROUTED_BYTES_MAX}`);
    await sleep(SETTLE_MS);
    await run.more({ records: Math.ceil(size.events / 10), producers: 3, keys: 300, seconds: 0, poisonEvery: 100, poisons: ["huge"] });
    await run.untilDrained();
    refused = instance.history.filter((line) => line.includes("MESSAGE_TOO_LARGE (10)")).length;
  }
  if (refused === 0) throw new Error("no broker has refused a batch as too large");
  if (instance.over) throw new Error(`the instance ended: ${instance.lines.slice(-5).join("\n")}`);
  const outcome = await run.end();
  if (outcome.deadLetters === 0) throw new Error("nothing became a dead letter");
  return facts(outcome, { "commits refused as too large": refused, "dead letters": outcome.deadLetters });
}

/** Rights are taken away under a running application, one after the other, and granted again. */
export async function rightsRevoked(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({
    brokers: size.brokers,
    users: [alice],
    secured: { ALICE: { protocol: "SASL_PLAINTEXT", mechanism: "SCRAM-SHA-512" } },
    settings: { "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users": "User:ANONYMOUS" },
  });
  await using operator = new ClusterOperator(cluster.brokers);
  const kafka = { sasl: { mechanism: "SCRAM-SHA-512", ...alice } } as const;
  const instance = { kafka };
  await using run = await begin("t12-rights", cluster, size, { instances: 1, instance, brokersOf: () => cluster.secured("ALICE") });
  const rights = await rightsOf(run);
  await operator.grant(Object.values(rights).flat());
  await startAll(run);
  const told: Record<string, number | string> = {};
  for (const [what, revoked] of Object.entries(rights).filter(([name]) => name !== "always")) {
    await run.untilOutputGrows(BACK_MS_MAX);
    const [right] = revoked as readonly [Right];
    const [one] = run.instances as readonly [InstanceProcess];
    const from = one.history.length;
    await operator.revoke(revoked);
    const said = await namedIn(one, from, right);
    await sleep(SETTLE_MS * 3);
    const lines = one.history.slice(from).filter((line) => line.includes("AUTHORIZATION_FAILED") || line.includes("UNKNOWN_TOPIC")).length;
    await operator.grant(revoked);
    const over = one.over;
    if (over) one.start();
    told[`${what} taken away`] =
      `${said.slice(0, 160)} (${lines} such lines; ${over ? "it ended, started again" : "it went on by itself"}; output again ${Math.round(await run.untilOutputGrows(BACK_MS_MAX))} ms after the grant)`;
    tell(`${what} taken away`, run);
  }
  return facts(await run.end(), told);
}

/** An instance whose brokers show a certificate that is over ends at once and says so. */
export async function expiredCertificate(): Promise<ScenarioFacts> {
  const directory = mkdtempSync(join(tmpdir(), "slackline-certificates-"));
  try {
    const authority = await TestAuthority.create(directory);
    const expired = await authority.sign("old-broker", { expired: true });
    await using cluster = await KafkaCluster.start({ secured: { EXPIRED: { protocol: "SSL", ...expired } } });
    const size: ScenarioSize = { events: 100, rounds: 1, seed: 1, brokers: 1 };
    const instance = { kafka: { tls: { ca: authority.ca } } };
    await using run = await begin("t12-tls", cluster, size, {
      instances: 1,
      instance,
      brokersOf: () => cluster.secured("EXPIRED"),
      foreignReader: false,
    });
    const [one] = run.instances as readonly [InstanceProcess];
    const begun = performance.now();
    one.start();
    const { status } = await one.ended();
    const said = one.lines.find((line) => /expired/i.test(line));
    if (status === 0 || said === undefined) throw new Error(`it ended with ${status} and said: ${one.lines.join("\n")}`);
    return { status: status ?? "killed", said: said.trim().slice(0, 200), "ended after, ms": Math.round(performance.now() - begun) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What the chain application needs, by what is taken away together. */
async function rightsOf(run: ChainRun): Promise<Readonly<Record<string, readonly Right[]>>> {
  const { applicationId, names } = run;
  const topics = (await run.log.topics.list()).map(({ name }) => name).filter((name) => name.startsWith(applicationId));
  const others = topics.filter((name) => name !== names.links && name !== names.events);
  return {
    always: [
      ...topics.flatMap((name) => on("TOPIC", name, "DESCRIBE", "DESCRIBE_CONFIGS")),
      ...others.flatMap((name) => on("TOPIC", name, "READ", "WRITE")),
    ],
    "Write on the output": on("TOPIC", names.links, "WRITE"),
    "Read on the source": on("TOPIC", names.events, "READ"),
    "Read on the group": on("GROUP", applicationId, "READ"),
    "Write on the transactional id": on("TRANSACTIONAL_ID", `${applicationId}-i0-0`, "WRITE", "DESCRIBE"),
  };
}

function on(resource: Right["resource"], name: string, ...operations: readonly Right["operation"][]): Right[] {
  return operations.map((operation) => ({ principal: PRINCIPAL, resource, name, operation }));
}

/** The line that names principal, resource and operation. */
async function namedIn(instance: InstanceProcess, from: number, { name, operation }: Right): Promise<string> {
  const word = `${operation.charAt(0)}${operation.slice(1).toLowerCase()}`;
  const until = Date.now() + BACK_MS_MAX;
  for (;;) {
    const found = instance.history
      .slice(from)
      .flatMap((line) => /Grant [^"<]*/.exec(line)?.[0] ?? [])
      .find((line) => line.includes(PRINCIPAL) && line.includes(word) && line.includes(name));
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`${operation} on ${name} is not named: ${instance.history.slice(from).slice(-8).join("\n")}`);
    await sleep(100);
  }
}
