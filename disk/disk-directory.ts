/** The directory of a database: its format, its owner's process id, the database files in a folder of their own. */
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DiskError } from "./errors.ts";
import { toDiskError } from "./native-error.ts";

const FORMAT_VERSION = 1;
const OWNER_ONLY = 0o700;

/** What the format file says. Written when the database was opened for the first time. */
export interface DiskFormat {
  readonly format: number;
  readonly kind: "rocksdb" | "classic-level";
  /** Where and with what RocksDB was last seen to work. */
  readonly probe: string;
}

/** True when a database was opened in this folder before: one that only wants to look asks this first, since opening makes one. */
export function holdsDatabase(location: string): boolean {
  return existsSync(join(location, "disk.format"));
}

export class DiskDirectory {
  readonly location: string;
  /** The database files, readable by their owner only. */
  readonly files: string;

  constructor(location: string) {
    this.location = location;
    this.files = join(location, "database");
  }

  async create(): Promise<void> {
    try {
      await mkdir(this.location, { recursive: true, mode: OWNER_ONLY });
      await mkdir(this.files, { recursive: true, mode: OWNER_ONLY });
      await chmod(this.files, OWNER_ONLY);
    } catch (error) {
      throw toDiskError(error, this.location);
    }
  }

  /** Undefined before the first opening has succeeded. */
  async readFormat(): Promise<DiskFormat | undefined> {
    const text = await readFile(this.#path("format"), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const format = parseFormat(text);
    if (format?.format === FORMAT_VERSION) return format;
    throw new DiskError(
      "DISK_FORMAT_UNKNOWN",
      `The database in ${this.location} has format ${format?.format ?? "unreadable"}, this program knows ${FORMAT_VERSION}. Run the version that wrote it.`,
      { location: this.location },
    );
  }

  async writeFormat(format: Omit<DiskFormat, "format">): Promise<void> {
    const path = this.#path("format");
    await writeFile(`${path}.new`, `${JSON.stringify({ format: FORMAT_VERSION, ...format })}\n`, { flush: true });
    await rename(`${path}.new`, path);
  }

  /** For whoever finds the directory locked; the lock itself is the database's. */
  async writeProcessId(): Promise<void> {
    await writeFile(this.#path("pid"), `${process.pid}\n`);
  }

  async readProcessId(): Promise<string | undefined> {
    const text = await readFile(this.#path("pid"), "utf8").catch(() => undefined);
    return text?.trim();
  }

  async removeProcessId(): Promise<void> {
    await rm(this.#path("pid"), { force: true });
  }

  #path(what: "format" | "pid"): string {
    return join(this.location, `disk.${what}`);
  }
}

function parseFormat(text: string): DiskFormat | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { format, kind, probe } = value as Partial<Record<keyof DiskFormat, unknown>>;
    if (typeof format !== "number") return undefined;
    return { format, kind: kind === "classic-level" ? kind : "rocksdb", probe: typeof probe === "string" ? probe : "" };
  } catch {
    return undefined;
  }
}
