/** What is committed in a topic, read anew from its start by our own reader. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordBatchCursor, type Log } from "#log";
import type { ChainRecord } from "#proof";
import type { Reading } from "./foreign-reader.ts";

export interface CommittedTopic {
  readonly records: readonly ChainRecord[];
  /** As a foreign reader tells it. */
  readonly reading: Reading;
  /** partition/offset of the event that each record is the dead letter of, by its headers. */
  readonly origins: readonly string[];
}

const ORIGIN = "__streams.errors.";

/** Waits for transactions that are still open: up to the high watermark as it is now. */
export async function committedTopic(log: Log, topic: string): Promise<CommittedTopic> {
  const partitions = (await log.topics.describe(topic))?.partitions ?? 0;
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await Promise.all(places.map((place) => log.offsets.bound(place, "high-watermark")));
  const reader = log.reader();
  reader.assign(places.map((place) => ({ ...place, offset: 0, outOfRange: "start" as const })));
  const records: ChainRecord[] = [];
  const origins: string[] = [];
  const counts = places.map(() => 0);
  const digests = places.map(() => createHash("sha256"));
  const cursor = new RecordBatchCursor();
  const offsetBytes = Buffer.alloc(8);
  const until = Date.now() + 120_000;
  while (places.some((place) => reader.position(place) < (ends[place.partition] ?? 0))) {
    if (Date.now() > until) throw new Error(`${topic} does not come to its end ${ends.join()}: a transaction is open`);
    const batches = reader.poll();
    if (batches.length === 0) await sleep(5);
    for (const { bytes, baseOffset, partition, fetchOffset } of batches) {
      cursor.reset(bytes, baseOffset);
      while (cursor.next()) {
        const { offset } = cursor;
        if (offset < fetchOffset) continue;
        const [key, value] = [cursor.key(), cursor.value()];
        offsetBytes.writeBigInt64BE(BigInt(offset));
        digests[partition]
          ?.update(offsetBytes)
          .update(key ?? "")
          .update(value ?? "");
        counts[partition] = (counts[partition] ?? 0) + 1;
        records.push({ partition, offset, key: text(key), value: text(value) });
        const headers = new Map(cursor.headers().map((header) => [header.key, text(header.value)]));
        if (headers.has(`${ORIGIN}offset`)) origins.push(`${headers.get(`${ORIGIN}partition`)}/${headers.get(`${ORIGIN}offset`)}`);
      }
    }
  }
  await reader.close();
  const reading = new Map(
    places.map(({ partition }) => [`${topic} ${partition}`, `${counts[partition]} ${digests[partition]?.digest("hex")}`]),
  );
  return { records, reading, origins };
}

function text(bytes: Uint8Array | null): string {
  return bytes === null ? "" : Buffer.from(bytes).toString("utf8");
}
