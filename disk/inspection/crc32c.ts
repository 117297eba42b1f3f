/** CRC-32C (Castagnoli): the checksum of RecordBatch v2, of LevelDB and of RocksDB; `zlib.crc32` is another polynomial. */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;
const table = buildTable();

/** Checksum of `bytes[start, end)` as an unsigned 32-bit number. Eight bytes a turn, by eight tables. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  // Indexes stay below `end` and below 256 by construction: `as number` only silences the checker of absent elements.
  for (const turns = end - 7; at < turns; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24));
    crc =
      (table[1792 + (low & 255)] as number) ^
      (table[1536 + ((low >>> 8) & 255)] as number) ^
      (table[1280 + ((low >>> 16) & 255)] as number) ^
      (table[1024 + (low >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 255] as number);
  return ~crc >>> 0;
}

function buildTable(): Int32Array {
  const entries = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    entries[byte] = crc;
  }
  for (let index = 256; index < entries.length; index++) {
    const before = entries[index - 256] as number;
    entries[index] = (before >>> 8) ^ (entries[before & 255] as number);
  }
  return entries;
}
