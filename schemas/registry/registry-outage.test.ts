/** A registry that is down, and one that does not know an id, as a running topology meets them: told apart where bytes are decoded. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog, RecordBatchCursor, type EmbeddedLog } from "#log";
import { stringKey } from "#state";
import { createStreamThread, silentLogger, splitTasks, STREAM_THREAD_DEFAULTS, StreamsBuilder, topic, topicConfigs } from "#streams";
import { avroSerde } from "../avro/avro-serde.ts";
import { schemaText } from "../avro/schema-text.ts";
import { type RegistryServer, startRegistryServer } from "../testing/registry-server.ts";
import { httpRegistry } from "./http-registry.ts";
import { loadHttpRegistry } from "./load-http-registry.ts";

const seen = { type: "record", name: "Seen", fields: [{ name: "id", type: "string" }] } as const;
const newer = { type: "record", name: "Seen", fields: [...seen.fields, { name: "note", type: "string", default: "" }] } as const;

let server: RegistryServer;
beforeEach(async () => {
  server = await startRegistryServer();
});
afterEach(() => server[Symbol.asyncDispose]());

/** The frame of a value "x" with an empty note: the older reader skips what it does not know. */
function frame(id: number, text: string): Buffer {
  const body = Buffer.from([text.length * 2, ...Buffer.from(text), 0]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
}

test(
  "a record waits while the registry is down and loses nothing; an id that does not exist is a dead letter",
  { timeout: 20_000 },
  async () => {
    const endpoint = { url: server.url, answerMsMax: 200 };
    const subjects = [{ subject: "seen-value", schema: schemaText(seen), level: "BACKWARD" }] as const;
    using registry = httpRegistry({ endpoint, loaded: await loadHttpRegistry({ endpoint, subjects, register: true }), random: () => 0.1 });
    const id = server.plant("seen-value", schemaText(newer));
    const input = topic({
      name: "seen",
      key: stringKey,
      value: avroSerde({ subject: "seen-value", schema: seen, registry }),
      partitions: 1,
    });
    const heard: string[] = [];
    const builder = new StreamsBuilder();
    builder.stream(input).process({ name: "hear", processor: () => ({ process: ({ value }) => void heard.push(value.id) }) });
    const topology = builder.build();
    const disk = memoryDisk();
    await using log = await openEmbeddedLog({ disk });
    await log.topics.ensure(topicConfigs(topology, "app"));
    const [assignment = { generation: 0, tasks: [] }] = splitTasks(topology, 1);
    const thread = createStreamThread({
      config: { ...STREAM_THREAD_DEFAULTS, applicationId: "app", instanceId: "test", thread: 0 },
      dependencies: { topology, log, disk, stepClock: () => 0, logger: silentLogger },
      assignment,
    });
    /** Steps in real time until it is so. */
    const until = async (done: () => boolean): Promise<void> => {
      for (let steps = 0; !done(); steps++) {
        expect(steps).toBeLessThan(2_000);
        const { pending } = thread.step(Date.now());
        if (thread.error !== undefined) throw thread.error;
        if (pending) await thread.settled();
        else await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };

    server.mood = "down";
    await produce(log, [frame(id, "a"), frame(4_711, "b"), frame(id, "c")]);
    const asked = server.requests.length;
    await until(() => server.requests.length - asked >= 3);
    expect(heard).toEqual([]);
    expect(thread.metrics()).toMatchObject({
      recordsProcessed: 0,
      deadLetters: 0,
      lag: [{ records: 3, waitsFor: "REGISTRY_UNAVAILABLE" }],
    });
    server.mood = "up";
    await until(() => thread.metrics().recordsProcessed === 3);
    expect(heard).toEqual(["a", "c"]);
    expect(thread.metrics().deadLettersByCode).toEqual({ UNKNOWN_SCHEMA: 1 });
    await thread.stop();
    expect(await deadLetters(log)).toEqual([["UNKNOWN_SCHEMA", "1"]]);
  },
);

async function produce(log: EmbeddedLog, values: readonly Buffer[]): Promise<void> {
  const producer = log.producer();
  for (const value of values) producer.append("seen", 0, Date.now(), Buffer.from("k"), value);
  await producer.flush();
  await producer.close();
}

/** Code and offset of each. */
async function deadLetters(log: EmbeddedLog): Promise<readonly (readonly [string, string])[]> {
  const reader = log.reader();
  reader.assign([{ topic: "app.dlq", partition: 0, offset: 0, outOfRange: "start" }]);
  const cursor = new RecordBatchCursor();
  const found: [string, string][] = [];
  for (const batch of reader.poll()) {
    cursor.reset(batch.bytes, batch.baseOffset);
    while (cursor.next()) {
      const headers = new Map(cursor.headers().map(({ key, value }) => [key, Buffer.from(value ?? []).toString()]));
      found.push([headers.get("__streams.errors.code") ?? "", headers.get("__streams.errors.offset") ?? ""]);
    }
  }
  await reader.close();
  return found;
}
