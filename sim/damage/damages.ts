/** What happens to the files of a database while nobody has it open: each damage is done to one file or folder that the seed chooses. */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { between, type Random } from "#log/kafka/simulated";

export interface Damage {
  readonly name: string;
  /** As the table in the documentation says it. */
  readonly what: string;
  /** Answers what it did, in words; undefined where there is no such file. */
  readonly apply: (location: string, random: Random) => string | undefined;
}

interface DatabaseFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

type FileKind = "wal" | "table" | "manifest" | "current";

const patterns: Readonly<Record<FileKind, RegExp>> = {
  wal: /^\d+\.log$/,
  table: /^\d+\.(?:sst|ldb)$/,
  manifest: /^MANIFEST-\d+$/,
  current: /^CURRENT$/,
};

const FORMAT = "disk.format";

export const damages: readonly Damage[] = [
  { name: "none", what: "nothing: the process was killed", apply: () => "nothing" },
  { name: "wal-torn", what: "the end of the newest write-ahead log is missing", apply: newest("wal", torn) },
  { name: "wal-flipped", what: "a bit of a write-ahead log is flipped", apply: any("wal", flipped) },
  { name: "wal-zeros", what: "a page of a write-ahead log is zeros", apply: any("wal", zeroed) },
  { name: "wal-deleted", what: "a write-ahead log is missing", apply: any("wal", deleted) },
  { name: "table-torn", what: "the end of a table is missing", apply: any("table", torn) },
  { name: "table-flipped", what: "a bit of a table is flipped", apply: any("table", flipped) },
  { name: "table-zeros", what: "a page of a table is zeros", apply: any("table", zeroed) },
  { name: "table-deleted", what: "a table is missing", apply: any("table", deleted) },
  { name: "manifest-emptied", what: "MANIFEST is empty", apply: any("manifest", emptied) },
  {
    name: "manifest-torn",
    what: "the end of MANIFEST is missing",
    apply: any("manifest", torn),
  },
  { name: "manifest-flipped", what: "a bit of MANIFEST is flipped", apply: any("manifest", flipped) },
  { name: "manifest-deleted", what: "MANIFEST is missing", apply: any("manifest", deleted) },
  { name: "current-deleted", what: "CURRENT is missing", apply: any("current", deleted) },
  { name: "current-emptied", what: "CURRENT is empty", apply: any("current", emptied) },
  { name: "files-wiped", what: "all files of the database are gone, its format file is there", apply: wipeFiles },
  { name: "directory-wiped", what: "the directory is empty", apply: wipeAll },
  { name: "format-garbled", what: "the format file cannot be read", apply: garbleFormat },
  { name: "format-newer", what: "the format is a newer one", apply: newerFormat },
  { name: "format-deleted", what: "the format file is missing", apply: deleteFormat },
];

function filesOf(location: string, kind: FileKind): readonly DatabaseFile[] {
  const directory = join(location, "database");
  return readdirSync(directory)
    .filter((name) => patterns[kind].test(name))
    .map((name) => ({ name, path: join(directory, name), bytes: statSync(join(directory, name)).size }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
}

type FileDamage = (file: DatabaseFile, random: Random) => string;

function any(kind: FileKind, damage: FileDamage): Damage["apply"] {
  return (location, random) => {
    const files = filesOf(location, kind);
    const file = files[between(random, 0, files.length - 1)];
    return file === undefined ? undefined : `${file.name}: ${damage(file, random)}`;
  };
}

function newest(kind: FileKind, damage: FileDamage): Damage["apply"] {
  return (location, random) => {
    const file = filesOf(location, kind).at(-1);
    return file === undefined ? undefined : `${file.name}: ${damage(file, random)}`;
  };
}

function torn({ path, bytes }: DatabaseFile, random: Random): string {
  const left = between(random, 0, bytes - 1);
  truncateSync(path, left);
  return `${left} of ${bytes} bytes left`;
}

function emptied({ path, bytes }: DatabaseFile): string {
  truncateSync(path, 0);
  return `0 of ${bytes} bytes left`;
}

function deleted({ path }: DatabaseFile): string {
  rmSync(path);
  return "deleted";
}

function flipped({ path, bytes }: DatabaseFile, random: Random): string {
  const at = between(random, 0, bytes - 1);
  const bit = between(random, 0, 7);
  const file = openSync(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << bit);
    writeSync(file, byte, 0, 1, at);
  } finally {
    closeSync(file);
  }
  return `bit ${bit} of byte ${at} of ${bytes}`;
}

/** As after a loss of power that left the length and not the contents. */
function zeroed({ path, bytes }: DatabaseFile, random: Random): string {
  const page = 4096;
  const from = between(random, 0, Math.floor((bytes - 1) / page)) * page;
  const count = Math.min(page, bytes - from);
  const file = openSync(path, "r+");
  try {
    writeSync(file, Buffer.alloc(count), 0, count, from);
    ftruncateSync(file, bytes);
  } finally {
    closeSync(file);
  }
  return `bytes ${from} to ${from + count} of ${bytes}`;
}

function wipeFiles(location: string): string {
  for (const name of readdirSync(join(location, "database"))) rmSync(join(location, "database", name), { recursive: true });
  return "the database's folder is empty";
}

function wipeAll(location: string): string {
  for (const name of readdirSync(location)) rmSync(join(location, name), { recursive: true });
  return "the folder is empty";
}

function garbleFormat(location: string, random: Random): string {
  const text = random() < 0.5 ? "" : "{\u0000";
  writeFileSync(join(location, FORMAT), text);
  return `it says "${text}"`;
}

function newerFormat(location: string): string {
  writeFileSync(join(location, FORMAT), '{"format":2,"kind":"rocksdb"}\n');
  return "format 2";
}

function deleteFormat(location: string): string {
  rmSync(join(location, FORMAT));
  return "deleted";
}
