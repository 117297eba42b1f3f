/** The row of a committed offset: offset u64, then the metadata as UTF-8. */
import type { CommittedOffset } from "../log.ts";

export function encodeCommitted(offset: number, metadata: string): Buffer {
  const row = Buffer.allocUnsafe(8 + Buffer.byteLength(metadata));
  row.writeBigInt64BE(BigInt(offset), 0);
  row.write(metadata, 8);
  return row;
}

export function decodeCommitted(row: Buffer): CommittedOffset {
  return { offset: Number(row.readBigInt64BE(0)), metadata: row.toString("utf8", 8) };
}
