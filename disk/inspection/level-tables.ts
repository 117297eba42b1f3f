/** The tables of a LevelDB, checked block by block: it has a checksum for each, and does not look at them when it reads. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32c } from "./crc32c.ts";
import { unmaskedCrc } from "./record-log.ts";
import { decompressSnappy } from "./snappy-block.ts";
import { VarintReader } from "./varint-reader.ts";

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC = 0xdb4775248b80fb57n;
const SNAPPY = 1;
const BLOCK_BYTES_MAX = 256 * 1024 * 1024;

interface Handle {
  readonly at: number;
  readonly bytes: number;
}

/** What is wrong with the first that is not as it was written, a sentence; undefined: nothing. Reads every table. */
export function findDamagedTable(directory: string): string | undefined {
  for (const name of readdirSync(directory).filter((file) => /^\d+\.(?:ldb|sst)$/.test(file))) {
    const wrong = whatIsWrong(readFileSync(join(directory, name)));
    if (wrong !== undefined) return `table ${name}: ${wrong}`;
  }
  return undefined;
}

function whatIsWrong(file: Buffer): string | undefined {
  try {
    if (file.length < FOOTER_BYTES) throw new RangeError(`${file.length} bytes are no table`);
    const footer = file.subarray(-FOOTER_BYTES);
    if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) throw new RangeError("its end is not that of a table");
    const reader = new VarintReader(footer);
    const [metaIndex, index] = [handleOf(reader), handleOf(reader)];
    // Filters too: one that is wrong says that a key is not there.
    for (const handle of [...handlesIn(blockOf(file, metaIndex)), ...handlesIn(blockOf(file, index))]) checkBlock(file, handle);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function blockOf(file: Buffer, handle: Handle): Buffer {
  const kind = checkBlock(file, handle);
  const bytes = file.subarray(handle.at, handle.at + handle.bytes);
  return kind === SNAPPY ? decompressSnappy(bytes, BLOCK_BYTES_MAX) : bytes;
}

/** Answers how it is compressed. */
function checkBlock(file: Buffer, { at, bytes }: Handle): number | undefined {
  const end = at + bytes + 1;
  if (at + bytes + TRAILER_BYTES > file.length - FOOTER_BYTES) throw new RangeError(`the block at ${at} goes on behind the end`);
  if (crc32c(file, at, end) !== unmaskedCrc(file.readUInt32LE(end))) throw new RangeError(`the block at ${at} has another checksum`);
  return file[end - 1];
}

/** Values of a block of handles; keys share their beginnings, which does not matter here. */
function handlesIn(block: Buffer): readonly Handle[] {
  if (block.length < 4) throw new RangeError("a block of handles is too short");
  const entriesEnd = block.length - 4 - 4 * block.readUInt32LE(block.length - 4);
  if (entriesEnd < 0) throw new RangeError("a block of handles has more restarts than bytes");
  const reader = new VarintReader(block.subarray(0, entriesEnd));
  const handles: Handle[] = [];
  while (!reader.done) {
    reader.number();
    const keyBytes = reader.number();
    const valueBytes = reader.number();
    reader.take(keyBytes);
    handles.push(handleOf(new VarintReader(reader.take(valueBytes))));
  }
  return handles;
}

function handleOf(reader: VarintReader): Handle {
  const at = reader.number();
  return { at, bytes: reader.number() };
}
