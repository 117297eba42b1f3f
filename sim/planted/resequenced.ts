/** A batch under another sequence, with the checksum that belongs to it. */
import { CRC_TABLE } from "./crc-table.ts";

const CRC_AT = 17;
const COVERED_FROM = 21;
const SEQUENCE_AT = 53;

export function resequenced(batch: Buffer, by: number): Buffer {
  const bytes = Buffer.from(batch);
  bytes.writeInt32BE(bytes.readInt32BE(SEQUENCE_AT) + by, SEQUENCE_AT);
  let crc = -1;
  for (let at = COVERED_FROM; at < bytes.length; at++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0);
  bytes.writeUInt32BE(~crc >>> 0, CRC_AT);
  return bytes;
}
