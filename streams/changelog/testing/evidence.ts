/** What a run left behind: committed records, and rows, in a form that can be compared. */
import type { Disk } from "#disk";
import { RecordBatchCursor, type Log } from "#log";
import { loadStoreIds, localPrefixBytes, prefixEnd, ROW_PREFIX_BYTES, rowPrefix, writeLocalPrefix, type StoreDescriptor } from "#state";
import { changelogTopic } from "../changelog.ts";

export interface CommittedRecord {
  readonly key: string;
  /** Hexadecimal; null deletes. */
  readonly value: string | null;
  readonly timestamp: number;
}

/** Everything that a reader of committed records sees of one partition now. */
export async function committedRecords(log: Log, topic: string, partition: number): Promise<readonly CommittedRecord[]> {
  const reader = log.reader();
  const at = { topic, partition };
  const end = await log.offsets.bound(at, "stable");
  reader.assign([{ ...at, offset: await log.offsets.bound(at, "start"), outOfRange: "fail" }]);
  const cursor = new RecordBatchCursor();
  const records: CommittedRecord[] = [];
  while (reader.position(at) < end) {
    const version = log.version();
    const batches = reader.poll();
    for (const { bytes, baseOffset } of batches) {
      cursor.reset(bytes, baseOffset);
      while (cursor.next())
        records.push({
          key: cursor.key()?.toString("latin1") ?? "",
          value: cursor.value()?.toString("hex") ?? null,
          timestamp: cursor.timestamp,
        });
    }
    if (batches.length === 0 && reader.position(at) < end) await log.changed(version);
  }
  await reader.close();
  return records;
}

/** Rows of one store's partition as its committed changelog has them: key → value, in hexadecimal. */
export async function foldOf(log: Log, applicationId: string, store: StoreDescriptor, partition: number): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for (const { key, value, timestamp } of await committedRecords(log, changelogTopic(applicationId, store.name), partition)) {
    const prefix = Buffer.alloc(localPrefixBytes(store));
    if (prefix.length > 0) writeLocalPrefix(timestamp, prefix, 0);
    const row = Buffer.from(key, "latin1").toString("hex");
    if (value === null) rows.delete(row);
    else rows.set(row, prefix.toString("hex") + value);
  }
  return new Map([...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function rowsOf(disk: Disk, store: StoreDescriptor, partition: number): Map<string, string> {
  const id = loadStoreIds(disk, []).get(store.name);
  if (id === undefined) return new Map();
  const from = rowPrefix(id, partition);
  return new Map(
    [...disk.entries("rows", { from, to: prefixEnd(from) })].map(([key, value]) => [
      key.toString("hex", ROW_PREFIX_BYTES),
      value.toString("hex"),
    ]),
  );
}
