/** A writer that is gone, in the middle of its transaction, on simulated brokers; and refusals by script. */
import { describe, expect, test } from "vitest";
import { codeOf, fresh, utf8 } from "../../conformance/log-under-test.ts";
import type { Log } from "../../log.ts";
import { Cluster } from "../client/cluster.ts";
import { realSurroundings } from "../defaults.ts";
import { SimulatedCluster } from "../simulated/simulated-cluster.ts";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { scriptedWire } from "../testing/scripted-wire.ts";
import { fenceWriter } from "./fence-writer.ts";

const wanted = (): boolean => true;
const topic = fresh("out");
const at = { topic, partition: 0 };

/** The end of its transaction is never sent. */
async function leftOpen(cluster: SimulatedCluster, survivor: Log): Promise<Log> {
  await survivor.topics.ensure([{ name: topic, partitions: 1, cleanup: "delete" }]);
  const dead = await cluster.open({
    clientId: "dead",
    wrapWire: (wire) => ({ ...wire, endTransaction: () => new Promise(() => {}) }),
  });
  const writer = dead.writer({ group: "app", transactionalId: "app-dead-0" });
  await writer.initialize();
  writer.append(topic, 0, 0, null, utf8("never"));
  void writer.commit({ offsets: [{ ...at, offset: 9, metadata: "" }], rows: [] }).catch(() => {});
  while (cluster.endOffset(topic, 0) === 0 || cluster.openTransactions === 0) await new Promise(setImmediate);
  await new Promise((resolve) => void realSurroundings.after(10, () => resolve(undefined)));
  return dead;
}

describe.each([1, 2] as const)("transaction version %s", (transactionVersion) => {
  test("what a dead writer left open is ended at once: offsets and records behind it are there, nothing of it is", async () => {
    // Nothing ends it by itself while this test lasts.
    const options = { transactionVersion, timeoutCheckMs: 60_000, markerMs: () => 5 };
    const cluster = new SimulatedCluster({ surroundings: realSurroundings, ...options });
    const survivor = await cluster.open({ clientId: "survivor" });
    await leftOpen(cluster, survivor);
    expect(await survivor.offsets.bound(at, "stable")).toBe(0);
    expect(cluster.committedOffset("app", topic, 0)).toBeUndefined();
    expect(await survivor.fenceWriter?.("app-dead-0", wanted)).toBe(true);
    expect(cluster.openTransactions).toBe(0);
    expect(await survivor.offsets.committed("app", [at])).toEqual([undefined]);
    expect(await survivor.offsets.bound(at, "stable")).toBe(2);
    expect(await survivor.fenceWriter?.("app-dead-0", wanted), "again, and of who has nothing open").toBe(true);
    await survivor.close();
  });

  test("who was taken for dead and writes on is told that it is fenced; a new writer of the id goes on", async () => {
    const cluster = new SimulatedCluster({ surroundings: realSurroundings, transactionVersion });
    const log = await cluster.open({ clientId: "both" });
    await log.topics.ensure([{ name: topic, partitions: 1, cleanup: "delete" }]);
    const options = { group: "app", transactionalId: "app-a-0" };
    const asleep = log.writer(options);
    await asleep.initialize();
    expect(await log.fenceWriter?.("app-a-0", wanted)).toBe(true);
    asleep.append(topic, 0, 0, null, utf8("late"));
    expect(await codeOf(() => asleep.commit({ offsets: [], rows: [] }))).toBe("WRITER_FENCED");
    const awake = log.writer(options);
    await awake.initialize();
    awake.append(topic, 0, 0, null, utf8("anew"));
    await awake.commit({ offsets: [], rows: [] });
    await log.close();
  });
});

async function fenceWith(codes: readonly number[], isWanted: () => boolean = wanted) {
  const left = [...codes];
  const initProducer = async () => ({ errorCode: (left.length > 1 ? left.shift() : left[0]) ?? 0, producerId: 7n, producerEpoch: 3 });
  const { wire, calls } = scriptedWire({ initProducer });
  const surroundings = hurriedSurroundings();
  const cluster = new Cluster({ wire, surroundings, bootstrap: [{ host: "broker", port: 9092 }] });
  await cluster.open();
  const done = fenceWriter({ cluster, transactionalId: "app-a-0", transactionMsMax: 1000, wanted: isWanted });
  return { done, calls, surroundings };
}

describe("the request", () => {
  test("is made again until the markers are written", async () => {
    const { done, calls } = await fenceWith([51, 51, 0]);
    expect(await done).toBe(true);
    expect(calls).toHaveLength(3);
  });

  test("is not made any more when it is not wanted", async () => {
    let asked = 0;
    const { done, calls } = await fenceWith([51], () => ++asked <= 4);
    expect(await done).toBe(false);
    expect(calls).toHaveLength(2);
    expect(await (await fenceWith([0], () => false)).done).toBe(false);
  });

  test("is given up after five seconds; a missing right is named with the remedy and not tried again", async () => {
    const { done, surroundings } = await fenceWith([51]);
    await expect(done).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(surroundings.now()).toBeLessThanOrEqual(5_000);
    const forbidden = await fenceWith([53]);
    await expect(forbidden.done).rejects.toThrow(/Grant User:ANONYMOUS Write and Describe on the transactional id app-a-0/);
    await expect(forbidden.done).rejects.toMatchObject({ code: "LOG_FORBIDDEN" });
    expect(forbidden.calls).toHaveLength(1);
  });
});
