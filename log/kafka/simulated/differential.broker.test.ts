/** The same requests to a real broker and to a simulated one: both answer alike, and readers see the same. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KafkaWire } from "../client/wire-contract.ts";
import { openSocketWire } from "../client/wire.ts";
import { realSurroundings } from "../defaults.ts";
import { startTestBroker, whyNoBroker } from "../testing/kafka-broker.ts";
import type { TestBroker } from "../testing/kafka-broker.ts";
import { randomRequests } from "./fixtures/random-requests.ts";
import { WireSession } from "./fixtures/wire-session.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

const missing = whyNoBroker();
const REQUESTS = 60;
const SEEDS = Array.from({ length: 6 }, (_, seed) => seed + 1);
/** A broker that is named has the version that it has. */
const versions = process.env["KAFKA_BROKERS"] === undefined ? ([2, 1] as const) : ([2] as const);

describe.skipIf(missing !== undefined).each(versions)(`transaction version %s${missing === undefined ? "" : `: ${missing}`}`, (version) => {
  let broker: TestBroker | undefined;
  let wire: KafkaWire | undefined;
  beforeAll(async () => {
    broker = await startTestBroker(process.env["KAFKA_BROKERS"] === undefined ? { transactionVersion: version } : {});
    wire = openSocketWire({ clientId: "differential", security: {} });
  }, 120_000);
  afterAll(async () => {
    await wire?.close();
    await broker?.stop();
  }, 30_000);

  async function sessions(): Promise<{ readonly real: WireSession; readonly simulated: WireSession }> {
    const [host = "", port = ""] = (broker?.brokers[0] ?? "").split(":");
    const shared = { version, prefix: `differential-${process.pid}-${Math.floor(performance.now() * 1000)}`, partitions: 2 };
    const real = new WireSession({ ...shared, wire: wire as KafkaWire, bootstrap: { host, port: Number(port) }, pause: (ms) => sleep(ms) });
    const cluster = new SimulatedCluster({ surroundings: realSurroundings, transactionVersion: version });
    const bootstrap = cluster.brokers[0] as { host: string; port: number };
    const simulated = new WireSession({ ...shared, wire: cluster.wire({ clientId: "differential" }), bootstrap, pause: (ms) => sleep(ms) });
    await Promise.all([real.open(), simulated.open()]);
    return { real, simulated };
  }

  /** What both say, or an error that shows where they differ. */
  async function both(act: (session: WireSession) => Promise<readonly string[]>): Promise<readonly string[]> {
    const { real, simulated } = await sessions();
    const [expected, found] = [await act(real), await act(simulated)];
    const at = expected.findIndex((line, index) => found[index] !== line);
    // Only where they part, with what led there.
    if (at >= 0) expect(found.slice(Math.max(0, at - 12), at + 1)).toEqual(expected.slice(Math.max(0, at - 12), at + 1));
    expect(found.length).toBe(expected.length);
    return expected;
  }

  test.each(SEEDS)("random requests of seed %i", async (seed) => {
    await both((session) => randomRequests(session, seed, REQUESTS, version));
  });

  test("an id whose newer owner has a transaction open, asked for with the older identity", async () => {
    await both(async (session) => {
      const { owner: older } = await session.initialize("a");
      const { owner: newer } = await session.initialize("a");
      if (version === 1) await session.announce(newer, 0);
      const stored = await session.produce(newer, 0, 0, 1);
      const probed = await session.initialize("a", older.identity);
      const ended = await session.end(newer, true);
      const again = await session.initialize("a", newer.identity);
      return [
        `${stored.code} ${probed.code} ${session.nameOf(probed.owner.identity)}`,
        `${ended.code} ${ended.next}`,
        `${again.code}`,
        ...(await session.seen()),
      ];
    });
  });

  test("a transaction that is too old, ended and then asked for with the identity that it had", async () => {
    await both(async (session) => {
      const { owner } = await session.initialize("a", undefined, 1000);
      if (version === 1) await session.announce(owner, 0);
      await session.produce(owner, 0, 0, 1);
      await sleep(2500);
      const ended = await session.end(owner, true);
      const again = await session.initialize("a", owner.identity, 1000);
      return [`${ended.code} ${ended.next}`, `${again.code} ${session.nameOf(again.owner.identity)}`, ...(await session.seen())];
    });
  });
});
