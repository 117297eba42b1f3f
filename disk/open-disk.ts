/** Chooses and opens the database: RocksDB where it runs, LevelDB where it does not, memory only when asked for. */
import { threadId } from "node:worker_threads";
import { chooseKind, type Choice } from "./choose-kind.ts";
import { attachLevelDatabase, openLevelDatabase } from "./classic-level/level-disk.ts";
import { DiskDirectory } from "./disk-directory.ts";
import type { Disk, DiskKind, DiskShare } from "./disk.ts";
import { DiskError } from "./errors.ts";
import { memoryDisk } from "./memory/memory-disk.ts";
import { attachRocksDatabase, openRocksDatabase } from "./rocksdb/rocks-disk.ts";
import { markedDamage, setAside, type DiskDamage } from "./set-aside.ts";
import { SharedUsers, USERS_MAX } from "./shared-users.ts";
import { watchWorkerExits } from "./worker-exits.ts";

export interface OpenDiskOptions {
  /** Directory; made when it is missing. Unused in memory. */
  readonly location: string;
  /** Default "auto": what the directory has, else RocksDB where it runs, else LevelDB with a notice. */
  readonly kind?: DiskKind | "auto";
  /** Block caches together, in bytes; default 64 MiB. RocksDB only. */
  readonly cacheBytesMax?: number;
  /** Write buffers of each family, in bytes; about twice as much is read again after a crash. Default 32 MiB. RocksDB only. */
  readonly memtableBytesMax?: number;
  /**
   * Of a database that is damaged. "refuse", the default: `DISK_CORRUPT`. "set-aside", for one whose contents can be made anew from
   * elsewhere: its files are moved to `database.damaged` in the directory, once an opening, and an empty database takes their place.
   */
  readonly onDamage?: "refuse" | "set-aside";
  /** How long `close` waits for attached threads before it gives up with DISK_FAILED; default 30,000. */
  readonly closeWaitMsMax?: number;
}

/** A database as the thread that opened it has it. */
export interface OwnedDisk extends Disk {
  /** What the operator should know about the choice that was made, if anything. */
  readonly notice: string | undefined;
  /** Why the database that was here was set aside, if it was: this one began empty. */
  readonly damage: DiskDamage | undefined;
  /**
   * A thread has exited and cannot detach any more. Called by itself for workers that the owner's thread starts while the
   * database is open; whoever starts threads elsewhere calls it.
   */
  release(exitedThreadId: number): void;
}

const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const MEMTABLE_BYTES_MAX = 32 * 1024 * 1024;
const CLOSE_WAIT_MS_MAX = 30_000;

/**
 * Opens the database in a directory, or a new one. Rejects with DISK_LOCKED (another process or this one has it open),
 * DISK_CORRUPT, DISK_FULL, DISK_FORMAT_UNKNOWN, DISK_UNAVAILABLE (the kind does not run on this machine) or DISK_FAILED.
 */
export async function openDisk(options: OpenDiskOptions): Promise<OwnedDisk> {
  const { kind = "auto" } = options;
  if (kind === "memory") return Object.assign(memoryDisk(), { notice: undefined, damage: undefined, release: () => undefined });
  return options.onDamage === "set-aside" ? openOrSetAside({ ...options, kind }) : openAsItIs({ ...options, kind }, undefined);
}

type OnVolume = OpenDiskOptions & { readonly kind: Exclude<DiskKind, "memory"> | "auto" };

async function openOrSetAside(options: OnVolume): Promise<OwnedDisk> {
  const marked = await markedDamage(options.location);
  try {
    const disk = await openAsItIs(options, undefined);
    if (marked === undefined) return disk;
    // It was opened to be sure that nobody else has it.
    await disk.close();
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== "DISK_CORRUPT") throw error;
    return openAsItIs(options, await setAside(options.location, error.message));
  }
  return openAsItIs(options, await setAside(options.location, marked));
}

async function openAsItIs(options: OnVolume, damage: DiskDamage | undefined): Promise<OwnedDisk> {
  const directory = new DiskDirectory(options.location);
  await directory.create();
  const format = await directory.readFormat();
  const choice = await chooseKind({ location: options.location, kind: options.kind, format });
  const users = new SharedUsers();
  const shared = {
    location: options.location,
    directory: directory.files,
    // Once there was a database, a missing one is a loss and not a beginning.
    create: format === undefined,
    users,
    onClose: (disk: Disk & { closeDatabase(): Promise<void> }) => closeOwned(disk, directory, users, options, stopWatching),
  };
  const disk = await open(shared, choice.kind, options).catch((error: unknown) => explainLock(error, directory));
  const stopWatching = watchWorkerExits(users);
  await directory.writeProcessId();
  if (format?.probe !== choice.probe || format.kind !== choice.kind)
    await directory.writeFormat({ kind: choice.kind, probe: choice.probe });
  return Object.assign(disk, { notice: choice.notice, damage, release: (exitedThreadId: number) => users.release(exitedThreadId) });
}

/**
 * The database of another thread of this process, by what its `share()` gave. `close` only detaches. Throws DISK_CLOSED when
 * the owner is closing it.
 */
export function attachDisk(share: DiskShare): Disk {
  const users = new SharedUsers(share.control);
  const slot = users.attach(threadId);
  if (slot === undefined)
    throw new DiskError("DISK_CLOSED", `The database in ${share.location} is closed or closing.`, { location: share.location });
  if (slot === "full")
    throw new DiskError("DISK_FAILED", `The database in ${share.location} has ${USERS_MAX} threads already.`, { location: share.location });
  const detach = async (): Promise<void> => users.detach(slot, threadId);
  try {
    return share.kind === "rocksdb" ? attachRocksDatabase(share, users, detach) : attachLevelDatabase(share, users, slot, detach);
  } catch (error) {
    users.detach(slot, threadId);
    throw error;
  }
}

type SharedOpenOptions = Parameters<typeof openLevelDatabase>[0] & Omit<Parameters<typeof openRocksDatabase>[0], `${string}BytesMax`>;

async function open(shared: SharedOpenOptions, kind: Choice["kind"], options: OpenDiskOptions): Promise<Disk> {
  if (kind === "classic-level") return await openLevelDatabase(shared);
  return await openRocksDatabase({
    ...shared,
    cacheBytesMax: options.cacheBytesMax ?? CACHE_BYTES_MAX,
    memtableBytesMax: options.memtableBytesMax ?? MEMTABLE_BYTES_MAX,
  });
}

async function explainLock(error: unknown, directory: DiskDirectory): Promise<never> {
  if (!(error instanceof DiskError) || error.code !== "DISK_LOCKED") throw error;
  const owner = await directory.readProcessId();
  const who = owner === undefined ? "another process" : owner === String(process.pid) ? "this process itself" : `process ${owner}`;
  throw new DiskError("DISK_LOCKED", `${directory.location} is open in ${who}. Stop it, or use another directory.`, {
    location: directory.location,
    cause: error,
  });
}

async function closeOwned(
  disk: { closeDatabase(): Promise<void> },
  directory: DiskDirectory,
  users: SharedUsers,
  { location, closeWaitMsMax = CLOSE_WAIT_MS_MAX }: OpenDiskOptions,
  stopWatching: () => void,
): Promise<void> {
  users.startClosing();
  if (!(await users.allGone(closeWaitMsMax))) {
    const left = users.users().join(", ");
    users.reopen();
    throw new DiskError(
      "DISK_FAILED",
      `${location} is not closed: threads ${left} are attached after ${closeWaitMsMax} ms. Stop them first.`,
      {
        location,
      },
    );
  }
  users.setClosed();
  stopWatching();
  try {
    await disk.closeDatabase();
  } finally {
    await directory.removeProcessId();
  }
}
