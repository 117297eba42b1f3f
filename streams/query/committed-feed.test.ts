import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import { jsonSerde, keyValueStore, stringKey, stringSerde } from "#state";
import { openApplication } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { encodeKey, partitionFor } from "../partition-for.ts";
import { topic } from "../topic.ts";
import { RowCopy, rowsInView } from "../testing/row-copy.ts";
import { CommittedFeed } from "./committed-feed.ts";
import { openCommittedView } from "./committed-view.ts";

const PARTITIONS = 3;
const STORES = ["kept", "counted"] as const;
const kept = keyValueStore({ name: STORES[0], key: stringKey, value: stringSerde });
const counted = keyValueStore({ name: STORES[1], key: stringKey, value: jsonSerde<{ readonly times: number }>() });
const words = topic({ name: "words", key: stringKey, value: stringSerde, partitions: PARTITIONS });

/** An empty word forgets its key. */
const builder = new StreamsBuilder();
builder.stream(words).process({
  name: "keep",
  stores: [kept, counted],
  processor: (context) => {
    const [texts, counts] = [context.store(kept), context.store(counted)];
    return {
      process({ key, value }) {
        if (value === "") texts.delete(key);
        else texts.put(key, value);
        counts.put(key, { times: (counts.get(key)?.times ?? 0) + 1 });
      },
    };
  },
});
const topology = builder.build();

async function say(log: Log, key: string, value: string): Promise<void> {
  const producer = log.producer();
  const bytes = encodeKey(stringKey, key);
  producer.append(words.name, partitionFor(words, key, bytes), 1, bytes, Buffer.from(value));
  await producer.flush();
  await producer.close();
}

async function opened() {
  const disk = memoryDisk();
  const log = await openEmbeddedLog({ disk });
  const view = openCommittedView({ topology, disk, log, group: "app" });
  const feed = new CommittedFeed({ topology, view, stores: STORES });
  const app = await openApplication({ topology, disk, log, feed, threads: 2 });
  return { log, view, feed, app };
}

type Act =
  | { readonly kind: "say"; readonly key: string; readonly value: string }
  | { readonly kind: "crash" | "restart" | "attach" | "work" };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("say" as const),
      key: fc.stringMatching(/^[a-h]{1,2}$/),
      value: fc.constantFrom("", "x", "yy", "zzz"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("work" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("crash" as const, "restart" as const, "attach" as const) }) },
);

test("whatever happens to the threads, a partition that is whole has the committed rows, at the committed positions", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const { log, view, feed, app } = await opened();
      const copies = new Map<string, RowCopy>();
      const attach = (): void => {
        for (const store of STORES) {
          if (copies.has(store)) continue;
          const copy = new RowCopy();
          copies.set(store, copy);
          feed.attach(store, copy);
        }
      };
      for (const each of [...acts, { kind: "work" }, { kind: "attach" }] as readonly Act[]) {
        if (each.kind === "say") await say(log, each.key, each.value);
        else if (each.kind === "attach") attach();
        else if (each.kind === "crash") {
          app.crash();
          for (const store of STORES) expect(feed.complete(store)).toBe(false);
        } else if (each.kind === "restart") await app.restart();
        else await app.run(app.clock.now() + 100);
        if (each.kind !== "work") continue;
        for (const [store, copy] of copies)
          for (let partition = 0; partition < PARTITIONS; partition++)
            if (feed.positions(store, partition) !== undefined) expect(copy.of(partition)).toEqual(rowsInView(view, store, partition));
      }
      await feed.settled;
      for (const store of STORES) {
        expect(feed.complete(store)).toBe(true);
        for (let partition = 0; partition < PARTITIONS; partition++) {
          expect(copies.get(store)?.of(partition)).toEqual(rowsInView(view, store, partition));
          expect(feed.positions(store, partition)).toEqual(await view.position(store, partition));
        }
      }
      await app.stop();
      expect(STORES.some((store) => feed.complete(store))).toBe(false);
      expect([...copies.values()].flatMap(({ rows }) => [...rows])).toEqual([]);
      expect([...copies.values()].flatMap(({ failures }) => failures)).toEqual([]);
      await feed[Symbol.asyncDispose]();
      await log.close();
    }),
    { numRuns: 60 },
  );
});

test("more rows than one look are all read when a task opens, with what is committed meanwhile", async () => {
  const { log, view, feed, app } = await opened();
  for (let index = 0; index < 1_600; index++) await say(log, `key-${index}`, "x");
  await app.run(100);
  const copy = new RowCopy();
  feed.attach("kept", copy);
  await say(log, "key-7", "");
  await say(log, "one more", "x");
  await app.run(200);
  await feed.settled;
  for (let partition = 0; partition < PARTITIONS; partition++) expect(copy.of(partition)).toEqual(rowsInView(view, "kept", partition));
  await app.stop();
  await log.close();
});

test("a row that cannot be decoded takes its partition out and is told of", async () => {
  const { log, feed, app } = await opened();
  await app.run(100);
  const copy = new RowCopy();
  feed.attach("counted", copy);
  await feed.settled;
  const key = Buffer.from("k");
  const head = Buffer.alloc(16);
  head.writeUInt32LE(1, 0);
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(key.length, 8);
  head.writeInt32LE(1, 12);
  feed.hear(0, { kind: "committed", offsets: [], rows: new Uint8Array([...head, ...key, 0x7b]) });
  expect(feed.positions("counted", 2)).toBeUndefined();
  expect(feed.positions("counted", 1)).toBeDefined();
  expect(copy.failures).toHaveLength(1);
  await app.stop();
  await log.close();
});

test("positions that cannot be asked for are asked for again at the next commit", async () => {
  const { log, view, feed, app } = await opened();
  await app.run(100);
  const position = view.position.bind(view);
  view.position = () => Promise.reject(new Error("no broker"));
  const copy = new RowCopy();
  feed.attach("kept", copy);
  await feed.settled;
  expect(feed.complete("kept")).toBe(false);
  view.position = position;
  for (const key of ["a", "b", "c", "d", "e", "f", "g", "h"]) await say(log, key, "x");
  await app.run(200);
  await feed.settled;
  expect([feed.complete("kept"), copy.failures]).toEqual([true, []]);
  for (let partition = 0; partition < PARTITIONS; partition++) expect(copy.of(partition)).toEqual(rowsInView(view, "kept", partition));
  await app.stop();
  await log.close();
});
