/** What the MANIFEST of a LevelDB or RocksDB says, as far as it can be compared with the other files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readRecordLog } from "./record-log.ts";
import { VarintReader } from "./varint-reader.ts";

export interface Manifest {
  /** Of the newest write that some edit knew of. */
  readonly lastSequence: number;
  /** Write-ahead logs below it are not needed any more. */
  readonly firstLog: number;
  /** Numbers of the tables that are part of the database. */
  readonly tables: ReadonlySet<number>;
  /** Something is behind the last whole record. */
  readonly torn: boolean;
}

/** Fields whose contents do not matter here, by what they are made of. */
const numberFields = new Set([3, 9, 203, 300]);
const stringFields = new Set([1, 201]);
const [LOG, LAST_SEQUENCE, COMPACT_POINTER, DELETED, NEW_FILE, MIN_LOG, NEW_FILE_4, FAMILY, FAMILY_DROPPED] = [
  2, 4, 5, 6, 7, 10, 103, 200, 202,
] as const;
/** From here on fields are strings that may be left out. */
const SKIPPABLE = 8_192;
const FIRST_BLOB_FIELD = 400;
const LAST_CUSTOM_FIELD = 1;

class Edits {
  lastSequence = 0;
  #log = 0;
  #leastLog: number | undefined;
  readonly tables = new Set<number>();

  /** RocksDB has one for each family, and says which of them is the least. */
  get firstLog(): number {
    return this.#leastLog ?? this.#log;
  }

  /** Throws RangeError where it is not an edit. */
  add(bytes: Buffer): void {
    const reader = new VarintReader(bytes);
    while (!reader.done) this.#field(reader.number(), reader);
  }

  #field(tag: number, reader: VarintReader): void {
    if (tag === LAST_SEQUENCE) this.lastSequence = Math.max(this.lastSequence, reader.number());
    else if (tag === LOG) this.#log = reader.number();
    else if (tag === MIN_LOG) this.#leastLog = reader.number();
    else if (tag === DELETED) {
      reader.number();
      this.tables.delete(reader.number());
    } else if (tag === NEW_FILE || tag === NEW_FILE_4) this.#newFile(tag, reader);
    else if (tag === COMPACT_POINTER) {
      reader.number();
      reader.string();
    } else if (tag === FAMILY || numberFields.has(tag)) reader.number();
    else if (tag === FAMILY_DROPPED) return;
    else if (stringFields.has(tag) || tag >= SKIPPABLE || tag >= FIRST_BLOB_FIELD) reader.string();
    else throw new RangeError(`field ${tag} is not known`);
  }

  #newFile(tag: number, reader: VarintReader): void {
    reader.number();
    this.tables.add(reader.number());
    reader.number();
    reader.string();
    reader.string();
    if (tag === NEW_FILE) return;
    reader.number();
    reader.number();
    while (reader.number() !== LAST_CUSTOM_FIELD) reader.string();
  }
}

/** Of the database in a folder. Undefined where there is none that can be read. */
export function manifestOf(directory: string): Manifest | undefined {
  try {
    const current = readFileSync(join(directory, "CURRENT"), "latin1").trim();
    return /^MANIFEST-\d+$/.test(current) ? readManifest(readFileSync(join(directory, current))) : undefined;
  } catch {
    // Whoever opens the database says what is wrong with it.
    return undefined;
  }
}

/** Undefined where it holds something that is not known here: then nothing can be said. */
function readManifest(file: Buffer): Manifest | undefined {
  const { records, damagedAt } = readRecordLog(file);
  const edits = new Edits();
  try {
    for (const { bytes } of records) edits.add(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const { lastSequence, firstLog, tables } = edits;
  return { lastSequence, firstLog, tables, torn: damagedAt !== undefined };
}
