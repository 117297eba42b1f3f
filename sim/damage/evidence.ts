/** What is in the topics and in the rows, compared with a plain program over the words. Throws Wrong where they differ. */
import { RecordBatchCursor, type Log } from "#log";
import type { Disk } from "#disk";
import { loadStoreIds, localPrefixBytes, prefixEnd, ROW_PREFIX_BYTES, rowPrefix } from "#state";
import { deadLetterTopic } from "#streams";
import { APPLICATION, PARTITIONS, receipts, stores, TallyModel, words } from "./tally-topology.ts";

/** A silent wrong answer: the one thing that must not be. */
export class Wrong extends Error {}

export interface WordRecord {
  readonly key: string;
  readonly value: string | undefined;
}

/** Committed records of a partition, by whatever means. */
export type ReadTopic = (topic: string, partition: number) => Promise<readonly WordRecord[]>;

/** Rows and receipts are what the first `taken` words of each partition come to; by default all of them. */
export async function compareWithModel(read: ReadTopic, disk: Disk, taken?: readonly number[]): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const model = new TallyModel();
    const input = await read(words.name, partition);
    for (const { key, value } of input.slice(0, taken?.[partition])) model.take(key, value ?? "");
    const said = (await read(receipts.name, partition)).map(({ key, value }) => `${key} ${value}`);
    for (const [index, expected] of model.receipts.entries())
      if (said[index] !== expected)
        throw new Wrong(`receipts/${partition} says "${said[index]}" as record ${index}, and it is "${expected}".`);
    if (said.length !== model.receipts.length)
      throw new Wrong(`receipts/${partition} has ${said.length} records instead of ${model.receipts.length}.`);
    for (const { name } of stores) sameRows(`rows of ${name}/${partition}`, rowsOf(disk, name, partition), model.rows(name as "totals"));
  }
  const letters = await read(deadLetterTopic(APPLICATION), 0);
  if (letters.length > 0) throw new Wrong(`There are ${letters.length} dead letters, the first of them ${letters[0]?.value}.`);
}

/** Rows are the fold of their committed changelogs. */
export async function compareWithChangelog(read: ReadTopic, disk: Disk): Promise<void> {
  for (const { name } of stores)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const fold = new Map<string, string>();
      for (const { key, value } of await read(`${APPLICATION}-${name}-changelog`, partition))
        if (value === undefined) fold.delete(key);
        else fold.set(key, value);
      sameRows(`rows of ${name}/${partition}, beside their changelog,`, rowsOf(disk, name, partition), fold);
    }
}

/** Records as a reader of the log sees them. Throws what it throws; a batch that is broken is said to be. */
export async function readAll(log: Log, topic: string, partition: number): Promise<readonly WordRecord[]> {
  const at = { topic, partition };
  const end = await log.offsets.bound(at, "stable");
  const reader = log.reader();
  reader.assign([{ ...at, offset: await log.offsets.bound(at, "start"), outOfRange: "fail" }]);
  const cursor = new RecordBatchCursor();
  const records: WordRecord[] = [];
  while (reader.position(at) < end) {
    const before = reader.position(at);
    for (const { bytes, baseOffset } of reader.poll()) {
      cursor.reset(bytes, baseOffset);
      while (cursor.next()) records.push({ key: cursor.key()?.toString() ?? "", value: cursor.value()?.toString() });
    }
    if (reader.position(at) === before) throw new Wrong(`${topic}/${partition} has nothing at ${before}, and its end is ${end}.`);
  }
  await reader.close();
  if (records.length !== end) throw new Wrong(`${topic}/${partition} has ${records.length} records below its end, ${end}.`);
  return records;
}

function sameRows(where: string, found: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  for (const [key, value] of expected)
    if (found.get(key) !== value) throw new Wrong(`${where}: ${key} is ${found.get(key)}, and it should be ${value}.`);
  if (found.size !== expected.size) throw new Wrong(`${where}: there are ${found.size} instead of ${expected.size}.`);
}

function rowsOf(disk: Disk, store: string, partition: number): ReadonlyMap<string, string> {
  const id = loadStoreIds(disk, []).get(store);
  const found = new Map<string, string>();
  const descriptor = stores.find(({ name }) => name === store);
  if (id === undefined || descriptor === undefined) return found;
  const from = rowPrefix(id, partition);
  for (const [key, value] of disk.entries("rows", { from, to: prefixEnd(from) }))
    found.set(key.toString("utf8", ROW_PREFIX_BYTES), value.toString("utf8", localPrefixBytes(descriptor)));
  return found;
}
