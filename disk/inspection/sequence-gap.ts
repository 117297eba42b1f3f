/**
 * Whether MANIFEST and write-ahead logs fit together. Neither LevelDB nor RocksDB asks: a MANIFEST that has lost its end is opened as it
 * is, though the log of what it has lost was deleted, and then something in the middle is missing and nobody is told.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { manifestOf } from "./manifest.ts";
import { BLOCK_BYTES, firstPiece } from "./record-log.ts";

const BATCH_HEADER_BYTES = 12;
const TWO_TO_32 = 2 ** 32;

/** What is missing, a sentence; undefined when everything is there, or nothing can be said. Reads only. */
export function findSequenceGap(directory: string): string | undefined {
  const manifest = manifestOf(directory);
  // Without a log there is no database yet, or nothing that could be compared.
  if (manifest === undefined || manifest.firstLog === 0) return undefined;
  const { lastSequence, firstLog, tables, torn } = manifest;
  const names = readdirSync(directory);
  const first = firstSequence(directory, names, firstLog);
  if (first !== undefined && first > lastSequence + 1)
    return `MANIFEST ends with write ${lastSequence}, and the write-ahead log begins with ${first}: what is between is missing`;
  const unnamed = numbersOf(names, /^(\d+)\.(?:sst|ldb)$/).find((table) => !tables.has(table));
  if (first === undefined && torn && unnamed !== undefined)
    return `MANIFEST has lost its end, table ${unnamed} is not named any more, and no write-ahead log has what is in it`;
  return undefined;
}

/** Of the oldest write-ahead log that is needed and not empty; undefined: there is none, or it is damaged from its beginning on. */
function firstSequence(directory: string, names: readonly string[], firstLog: number): number | undefined {
  const logs = numbersOf(names, /^(\d+)\.log$/).filter((log) => log >= firstLog);
  for (const log of logs.toSorted((one, other) => one - other)) {
    const beginning = beginningOf(join(directory, `${String(log).padStart(6, "0")}.log`));
    if (beginning.length === 0) continue;
    const batch = firstPiece(beginning);
    return batch === undefined || batch.length < BATCH_HEADER_BYTES ? undefined : sequenceOf(batch);
  }
  return undefined;
}

/** Of the first operation of a batch. */
function sequenceOf(batch: Buffer): number {
  return batch.readUInt32LE(0) + batch.readUInt32LE(4) * TWO_TO_32;
}

function numbersOf(names: readonly string[], pattern: RegExp): readonly number[] {
  return names.flatMap((name) => {
    const [, number] = pattern.exec(name) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Logs may be large. */
function beginningOf(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(BLOCK_BYTES);
    return bytes.subarray(0, readSync(file, bytes, 0, BLOCK_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
