import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryDisk, type Disk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import { runApplication } from "#streams/testing";
import { CommittedFeed } from "../query/committed-feed.ts";
import { openCommittedView } from "../query/committed-view.ts";
import { RowCopy, rowsInView } from "../testing/row-copy.ts";
import { produce } from "../runtime/fixtures/counting.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { committedRecords, foldOf, rowsOf, type CommittedRecord } from "./testing/evidence.ts";
import { entries, ledger, ledgerStores, ledgerTopology } from "./testing/ledger-topology.ts";
import { MemoryCluster } from "./testing/memory-cluster.ts";
import { memoryLog, type CommitPoint } from "./testing/memory-log.ts";
import { MortalInstance, type Death, type LifeOptions } from "./testing/mortal-instance.ts";

const topology = ledgerTopology();

interface Life {
  /** Records before it begins: key and timestamp's step each. */
  readonly input: readonly (readonly [key: string, step: number])[];
  readonly death: Death | undefined;
  readonly lost: LifeOptions["lost"];
  readonly emptyDisk: boolean;
  readonly otherInstance: boolean;
  readonly lateMarkers: boolean;
}

const point = fc.constantFrom<CommitPoint>("produced", "offsets", "ended");

const death: fc.Arbitrary<Death> = fc.oneof(
  fc.record({
    kind: fc.constant("commit" as const),
    point,
    nth: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ kind: fc.constant("disk" as const), nth: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant("step" as const), nth: fc.integer({ min: 1, max: 30 }) }),
);

const life: fc.Arbitrary<Life> = fc.record({
  input: fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), fc.integer({ min: 0, max: 5 })), { maxLength: 14 }),
  death: fc.option(death, { nil: undefined, freq: 8 }),
  lost: fc.option(fc.record({ point, nth: fc.integer({ min: 1, max: 4 }) }), { nil: undefined, freq: 2 }),
  emptyDisk: fc.boolean(),
  otherInstance: fc.boolean(),
  lateMarkers: fc.boolean(),
});

interface Outcome {
  readonly outputs: readonly (readonly CommittedRecord[])[];
  readonly rows: readonly ReadonlyMap<string, string>[];
}

const partitions = [0, 1];
const outputsOf = (log: Log): Promise<Outcome["outputs"]> =>
  Promise.all(partitions.map((each) => committedRecords(log, ledger.name, each)));
const everyRow = (disk: Disk): Outcome["rows"] => ledgerStores.flatMap((store) => partitions.map((each) => rowsOf(disk, store, each)));
const everyFold = (log: Log): Promise<Outcome["rows"]> =>
  Promise.all(ledgerStores.flatMap((store) => partitions.map((each) => foldOf(log, "app", store, each))));

class Inputs {
  #time = 100;
  #count = 0;

  /** One batch each, so that they come piece by piece. */
  async add(log: Log, input: Life["input"]): Promise<void> {
    for (const [key, step] of input) await produce(log, entries, [[key, `v${this.#count++}`, (this.#time += step)]]);
  }
}

/** The same input without any accident, on a log that needs no changelog. */
async function undisturbed(lives: readonly Life[]): Promise<Outcome> {
  const disk = memoryDisk();
  const log = await openEmbeddedLog({ disk });
  await log.topics.ensure(topicConfigs(topology, "app"));
  const inputs = new Inputs();
  for (const { input } of lives) await inputs.add(log, input);
  await runApplication({ topology, disk, log, until: 10_000, startAt: 1_000 });
  return { outputs: await outputsOf(log), rows: everyRow(disk) };
}

/** One store in memory, beside the thread that writes it. */
function watched(disk: Disk, log: Log): { readonly feed: CommittedFeed; compare(running: readonly number[]): Promise<void> } {
  const [store] = ledgerStores;
  const view = openCommittedView({ topology, disk, log, group: "app" });
  const feed = new CommittedFeed({ topology, view, stores: [store.name] });
  const copy = new RowCopy();
  feed.attach(store.name, copy);
  return {
    feed,
    async compare(running) {
      await feed.settled;
      for (const each of partitions) {
        expect([...copy.failures, feed.whole(store.name, each)]).toEqual([running.includes(each)]);
        if (running.includes(each)) expect(copy.of(each)).toEqual(rowsInView(view, store.name, each));
      }
    },
  };
}

async function disturbed(lives: readonly Life[]): Promise<void> {
  const cluster = new MemoryCluster();
  const outside = memoryLog(cluster);
  cluster.ensure(topicConfigs(topology, "app", outside.capabilities));
  const inputs = new Inputs();
  let disk = memoryDisk();
  let now = 1_000;
  for (const [index, { input, death, lost, emptyDisk, otherInstance, lateMarkers }] of lives.entries()) {
    await inputs.add(outside, input);
    if (emptyDisk) disk = memoryDisk();
    const instanceId = otherInstance ? `other-${index}` : "same";
    const watch = watched(disk, outside);
    const { feed } = watch;
    const instance = new MortalInstance({ cluster, disk, topology, instanceId, death, lost, lateMarkers, now, feed });
    const died = await instance.live();
    now = instance.now;
    if (died) continue;
    await watch.compare(instance.thread.tasks.map(({ id }) => id.partition));
    await instance.thread.stop();
    cluster.settle();
    expect(everyRow(disk)).toEqual(await everyFold(outside));
  }
  const last = new MortalInstance({ cluster, disk, topology, instanceId: "last", lateMarkers: true, now });
  await last.live();
  await last.thread.stop();
  cluster.expire();
  const expected = await undisturbed(lives);
  expect(await outputsOf(outside)).toEqual(expected.outputs);
  expect(everyRow(disk)).toEqual(expected.rows);
  expect(await everyFold(outside)).toEqual(expected.rows);
}

describe("commits and restores on a log without atomic rows", () => {
  test("whatever dies or is lost wherever, outputs are exactly once and rows are the fold of the committed changelog", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), (lives) => disturbed(lives)),
      { numRuns: Number(process.env["CRASH_RUNS"] ?? 60) },
    );
  });
});
