import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "#log";
import type { Topic } from "#streams";
import type { DispatchTopics } from "#topologies";
import { readTopic } from "../proof/read-topic.ts";

/** Assignments, trips and bills as JSON lines, a file a topic, in the order of partitions and offsets. */
export async function writeTopics(folder: string, log: Log, topics: DispatchTopics): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await write(folder, "assignments", log, topics.assignments);
  await write(folder, "trips", log, topics.trips);
  await write(folder, "bills", log, topics.bills);
}

async function write<V>(folder: string, name: string, log: Log, topic: Topic<string, V>): Promise<void> {
  await pipeline(Readable.from(lines(log, topic)), createWriteStream(join(folder, `${name}.jsonl`)));
}

async function* lines<V>(log: Log, topic: Topic<string, V>): AsyncGenerator<string> {
  for await (const { partition, offset, timestamp, value } of readTopic(log, topic))
    yield `${JSON.stringify({ partition, offset, timestamp, value })}\n`;
}
