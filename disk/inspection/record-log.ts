/** The format in which LevelDB and RocksDB write ahead, and keep their MANIFEST: records in pieces, in blocks of 32 KiB. */
import { crc32c } from "./crc32c.ts";

export interface LoggedRecord {
  readonly bytes: Buffer;
  /** Where its first piece begins. */
  readonly at: number;
}

export interface RecordLog {
  /** Up to the first piece that is not whole. */
  readonly records: readonly LoggedRecord[];
  /** Where that piece begins, or the record that ends before all its pieces are there; undefined: everything is whole. */
  readonly damagedAt: number | undefined;
}

/** Of a file that is written in blocks. */
export const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const CRC_DELTA = 0xa282ead8;
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4] as const;

/** Of the beginning of a file, the first piece of its first record; undefined where it is not whole. */
export function firstPiece(file: Buffer): Buffer | undefined {
  const end = wholePieceAt(file, 0, BLOCK_BYTES);
  return end === undefined ? undefined : file.subarray(HEADER_BYTES, end);
}

export function readRecordLog(file: Buffer): RecordLog {
  const records: LoggedRecord[] = [];
  let pieces: Buffer[] = [];
  let began = 0;
  for (let at = 0; at < file.length;) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const end = wholePieceAt(file, at, left);
    if (end === undefined) return { records, damagedAt: pieces.length > 0 ? began : at };
    const type = file[at + 6];
    if (type === FULL || type === FIRST) {
      pieces = [];
      began = at;
    }
    pieces.push(file.subarray(at + HEADER_BYTES, end));
    if (type === FULL || type === LAST) {
      records.push({ bytes: pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces), at: began });
      pieces = [];
    } else if (type !== FIRST && type !== MIDDLE) pieces = [];
    at = end;
  }
  return { records, damagedAt: pieces.length > 0 ? began : undefined };
}

/** Checksums are kept masked, since files that hold checksums are themselves checked. */
export function unmaskedCrc(masked: number): number {
  const rotated = (masked - CRC_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** Its end; undefined when it is not whole. */
function wholePieceAt(file: Buffer, at: number, left: number): number | undefined {
  if (at + HEADER_BYTES > file.length) return undefined;
  const length = file.readUInt16LE(at + 4);
  const end = at + HEADER_BYTES + length;
  if (end > file.length || HEADER_BYTES + length > left) return undefined;
  return crc32c(file, at + 6, end) === unmaskedCrc(file.readUInt32LE(at)) ? end : undefined;
}
