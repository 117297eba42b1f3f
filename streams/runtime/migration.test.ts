import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDisk } from "#disk";
import { openEmbeddedLog } from "#log";
import { keyValueStore, stringKey, stringSerde } from "#state";
import type { KeyValueDescriptor } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { TopologyError } from "../errors.ts";
import { topic } from "../topic.ts";
import { Application } from "./application.ts";
import { consume, produce } from "./fixtures/counting.ts";

const words = topic({ name: "words", key: stringKey, value: stringSerde, partitions: 1 });
const seen = topic({ name: "seen", key: stringKey, value: stringSerde, partitions: 1 });
const kept = keyValueStore({ name: "kept", key: stringKey, value: stringSerde });
const first = keyValueStore({ name: "last", key: stringKey, value: stringSerde });
/** The same rows in another encoding. */
const second = keyValueStore({ name: "last", key: stringKey, value: { ...stringSerde, id: "text-2" } });

/** Says what each store had before, and keeps the new word in both. */
const topologyWith = (last: KeyValueDescriptor<string, string>): Topology => {
  const builder = new StreamsBuilder();
  builder
    .stream(words)
    .process<string, string>({
      name: "remember",
      stores: [kept, last],
      processor: (context) => {
        const stores = [context.store(kept), context.store(last)];
        return {
          process(record) {
            const before = stores.map((store) => store.get(record.key) ?? "nothing").join(", ");
            for (const store of stores) store.put(record.key, record.value);
            context.forward({ ...record, value: before });
          },
        };
      },
    })
    .to(seen);
  return builder.build();
};

let location: string;
beforeEach(async () => {
  location = await mkdtemp(join(tmpdir(), "slackline-migration-"));
});
afterEach(() => rm(location, { recursive: true, force: true }));

/** One life in the kept folder: one word goes in. Answers what all lives have said. */
async function live(topology: Topology, word: string, dropStores: readonly string[] = []): Promise<readonly string[]> {
  const disk = await openDisk({ location });
  const log = await openEmbeddedLog({ disk, durability: "process" });
  try {
    await using application = new Application({ topology, log, disk, applicationId: "app", dropStores });
    await application.start();
    const before = (await consume(log, seen)).length;
    await produce(log, words, [["k", word]]);
    await expect.poll(async () => (await consume(log, seen)).length).toBe(before + 1);
    return (await consume(log, seen)).map(({ value }) => value);
  } finally {
    await log.close();
    await disk.close();
  }
}

test("a folder of another topology goes on exactly as its refusal says: the named store begins empty, the other and the place in the input stay", async () => {
  await live(topologyWith(first), "a");
  const refusal = await live(topologyWith(second), "b").catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "MANIFEST_MISMATCH" });
  const flags = (refusal as TopologyError).message.match(/--migrate drop-store=\S+/g);
  expect(flags).toEqual(["--migrate drop-store=last"]);
  const dropStores = flags?.map((flag) => flag.split("=")[1] ?? "") ?? [];
  expect(await live(topologyWith(second), "c", dropStores)).toEqual(["nothing, nothing", "a, nothing"]);
  // From then on it is a folder of the new topology; the old one is refused in turn.
  expect(await live(topologyWith(second), "d")).toEqual(["nothing, nothing", "a, nothing", "c, c"]);
  await expect(live(topologyWith(first), "e")).rejects.toMatchObject({ code: "MANIFEST_MISMATCH" });
});
