/** What all measures share: a side, its names and folder, its progress, and what it has written. */
import { hash } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordBatchCursor, type Log } from "#log";
import { PARTITIONS, type TopologyName } from "./position-topologies.ts";
import type { SideOptions } from "./side-process.ts";

export interface Side {
  readonly name: string;
  readonly command: (options: SideOptions) => Promise<readonly string[]>;
}

export interface Scene {
  readonly log: Log;
  readonly brokers: readonly string[];
  readonly topology: TopologyName;
  readonly input: string;
  readonly threads: number;
  /** Makes names that were never used. */
  readonly round: number;
}

export interface Outputs {
  readonly outputs: number;
  /** Over partition, timestamp, key and value of all outputs, whatever their order. */
  readonly digest: string;
}

const SESSION_MS = 10_000;
/** Between two looks at what a side has done. */
export const LOOK_MS = 5;
export const COMMIT_MS_MAX = 300_000;

/** A fresh application with an output topic and a folder of its own; whoever asked for the folder removes it. */
export async function prepare(
  side: Side,
  { log, brokers, topology, input, threads, round }: Scene,
): Promise<{ readonly options: SideOptions; readonly directory: string }> {
  const name = `${side.name}-${topology}-${round}-${Date.now().toString(36)}`;
  const output = `${name}-out`;
  await log.topics.ensure([{ name: output, partitions: PARTITIONS, cleanup: "delete" }]);
  const directory = await mkdtemp(join(tmpdir(), `slackline-bench-${side.name}-`));
  return { options: { topology, brokers, applicationId: name, directory, input, output, threads, sessionMs: SESSION_MS }, directory };
}

export function endsOf(log: Log, topic: string): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => log.offsets.bound({ topic, partition }, "stable")));
}

/** Throws when the group takes longer than `COMMIT_MS_MAX`. */
export async function untilCommitted(log: Log, group: string, topic: string, ends: readonly number[]): Promise<void> {
  const places = ends.map((_, partition) => ({ topic, partition }));
  const until = performance.now() + COMMIT_MS_MAX;
  for (;;) {
    const committed = await log.offsets.committed(group, places);
    if (ends.every((end, partition) => (committed[partition]?.offset ?? 0) >= end)) return;
    if (performance.now() >= until)
      throw new Error(`${group} has committed ${committed.map((each) => each?.offset ?? 0).join()} of ${ends.join()}`);
    await sleep(LOOK_MS);
  }
}

/** Everything committed in the topic, read and summed up. */
export async function outputsOf(log: Log, topic: string): Promise<Outputs> {
  const ends = await endsOf(log, topic);
  const reader = log.reader();
  reader.assign(ends.map((_, partition) => ({ topic, partition, offset: 0, outOfRange: "fail" as const })));
  const cursor = new RecordBatchCursor();
  const sums = new Uint32Array(2);
  let outputs = 0;
  while (ends.some((end, partition) => reader.position({ topic, partition }) < end)) {
    const batches = reader.poll();
    if (batches.length === 0) await sleep(LOOK_MS);
    for (const { bytes, baseOffset, partition } of batches) {
      cursor.reset(bytes, baseOffset);
      while (cursor.next()) {
        outputs++;
        // Key, the length of the value, value.
        const content = hash("md5", cursor.bytes.subarray(cursor.keyStart, cursor.valueEnd), "buffer");
        const beside = Math.imul(partition + 1, 0x9e3779b1) ^ (cursor.timestamp % 2 ** 32);
        sums[0] = (sums[0] ?? 0) + (content.readUInt32LE(0) ^ beside);
        sums[1] = (sums[1] ?? 0) + Math.imul(content.readUInt32LE(4), beside | 1);
      }
    }
  }
  await reader.close();
  return { outputs, digest: [...sums].map((sum) => sum.toString(16).padStart(8, "0")).join("") };
}
