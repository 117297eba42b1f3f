/** A database that is damaged and that can be made anew from elsewhere: its files are set aside, and an empty one takes its place. */
import { existsSync, writeFileSync } from "node:fs";
import { readdir, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { toDiskError } from "./native-error.ts";

/** What was found when the database was opened. */
export interface DiskDamage {
  readonly reason: string;
  /** Where the damaged files are; undefined when there was no room to keep them. */
  readonly keptAt: string | undefined;
}

const MARKER = "disk.damaged";
const ASIDE = "database.damaged";

/**
 * Remembers for the next opening what was found while the database was in use: a damaged table is found when it is read, long after
 * it was opened. Never throws; a folder that cannot be written to is found damaged again.
 */
export function markDamaged(location: string, reason: string): void {
  try {
    if (existsSync(location)) writeFileSync(join(location, MARKER), `${reason}\n`, { flush: true });
  } catch {
    // Found again then.
  }
}

/** Why the database was given up while it was in use; undefined when it was not. */
export async function markedDamage(location: string): Promise<string | undefined> {
  const text = await readFile(join(location, MARKER), "utf8").catch(() => undefined);
  return text?.trim();
}

/**
 * Nobody has the database open. The damaged files are kept for whoever wants to look at them, until the next damage takes their place,
 * and only while as much room again is left for the new database. The format file goes last: whoever dies before that finds the same
 * damage again.
 */
export async function setAside(location: string, reason: string): Promise<DiskDamage> {
  const [files, aside] = [join(location, "database"), join(location, ASIDE)];
  try {
    await rm(aside, { recursive: true, force: true });
    const keeps = existsSync(files) && (await freeBytes(location)) > (await sizeOf(files)) * 2;
    if (keeps) await rename(files, aside);
    else await rm(files, { recursive: true, force: true });
    await rm(join(location, "disk.format"), { force: true });
    await rm(join(location, MARKER), { force: true });
    return { reason, keptAt: keeps ? aside : undefined };
  } catch (error) {
    throw toDiskError(error, location);
  }
}

async function freeBytes(location: string): Promise<number> {
  const { bavail, bsize } = await statfs(location);
  return bavail * bsize;
}

/** A database has no folders. */
async function sizeOf(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map(async (file) => (await stat(join(directory, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
