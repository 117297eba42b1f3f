/** What a backend brings to the suite, and the few ways in which all cases look at a log. */
import { expect, vi } from "vitest";
import { RecordBatchCursor } from "../record-batch/record-batch-cursor.ts";
import type { CleanupPolicy, Log, PartitionAssignment, Reader, TopicConfig, TopicPartition, Writer } from "../log.ts";

export interface LogUnderTest {
  readonly log: Log;
  /** With `atomicRows`: the store row under the key, as committed. */
  readonly row?: (key: Uint8Array) => Uint8Array | undefined;
  /** Closes the log and opens it again on what it kept; absent where it keeps nothing. */
  readonly reopen?: () => Promise<LogUnderTest>;
  readonly close: () => Promise<void>;
}

export interface LogConformanceOptions {
  readonly name: string;
  /** A log of its own for each case, or one that all share: names of topics, groups and ids are never used twice. */
  readonly open: () => Promise<LogUnderTest>;
  /** How long a case waits for what a backend does by and by; default 5 s. */
  readonly waitMsMax?: number;
}

export interface SeenRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

let names = 0;

/** A name that no other case has. */
export function fresh(kind: string): string {
  names += 1;
  return `conformance-${kind}-${process.pid}-${names}`;
}

export function utf8(text: string): Buffer {
  return Buffer.from(text);
}

export async function topicOf(
  log: Log,
  partitions = 1,
  more: Partial<TopicConfig> & { readonly cleanup?: CleanupPolicy } = {},
): Promise<string> {
  const name = fresh("topic");
  await log.topics.ensure([{ name, partitions, cleanup: "delete", ...more }]);
  return name;
}

export async function produce(log: Log, topic: string, partition: number, values: readonly string[]): Promise<void> {
  const producer = log.producer();
  for (const [index, value] of values.entries()) producer.append(topic, partition, 1000 + index, utf8(`key-${value}`), utf8(value));
  await producer.flush();
  await producer.close();
}

export async function writerOf(log: Log, group = fresh("group"), transactionalId = fresh("id")): Promise<Writer> {
  const writer = log.writer({ group, transactionalId });
  await writer.initialize();
  return writer;
}

export function from(topic: string, partition: number, offset = 0): PartitionAssignment {
  return { topic, partition, offset, outOfRange: "fail" };
}

/** The records of one poll that the reader asked for. */
export function pollRecords(reader: Reader): Map<string, SeenRecord[]> {
  const seen = new Map<string, SeenRecord[]>();
  const cursor = new RecordBatchCursor();
  for (const batch of reader.poll()) {
    const at = `${batch.topic}/${batch.partition}`;
    const records = seen.get(at) ?? [];
    seen.set(at, records);
    cursor.reset(batch.bytes, batch.baseOffset);
    while (cursor.next()) {
      if (cursor.offset < batch.fetchOffset) continue;
      const headers = cursor.headers().map((each) => [each.key, text(each.value)] as const);
      records.push({ offset: cursor.offset, timestamp: cursor.timestamp, key: text(cursor.key()), value: text(cursor.value()), headers });
    }
    expect(batch.nextOffset).toBeGreaterThan(records.at(-1)?.offset ?? -1);
  }
  return seen;
}

/** Reads one partition until that many records came, then once more: none may follow. */
export async function readRecords(log: Log, at: TopicPartition, count: number, waitMsMax: number, offset = 0): Promise<SeenRecord[]> {
  const reader = log.reader();
  reader.assign([from(at.topic, at.partition, offset)]);
  const records: SeenRecord[] = [];
  const more = (): void => {
    for (const found of pollRecords(reader).values()) records.push(...found);
  };
  await vi.waitFor(
    () => {
      more();
      expect(records.length).toBeGreaterThanOrEqual(count);
    },
    { timeout: waitMsMax, interval: 2 },
  );
  more();
  expect(records.length).toBe(count);
  await reader.close();
  return records;
}

export async function readValues(log: Log, topic: string, partition: number, count: number, waitMsMax: number): Promise<(string | null)[]> {
  return (await readRecords(log, { topic, partition }, count, waitMsMax)).map((record) => record.value);
}

export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
  return "none";
}

function text(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString("utf8");
}
