/** A directory as a process leaves it that is killed: with tables of earlier lives and a write-ahead log of the last one. */
import { cpSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDisk, type DiskKind, type OwnedDisk } from "#disk";
import type { Log } from "#log";
import { between, type Random, type VirtualScheduler } from "#log/kafka/simulated";
import { partitionFor } from "#streams";
import { settleOver } from "./tally-life.ts";
import { words } from "./tally-topology.ts";

/** So small that tables are written while it runs. */
export const MEMTABLE_BYTES = 128 * 1024;
const KEYS = 40;
const QUIET_MS = 15;

export function openSmall(location: string, kind: DiskKind, onDamage: "refuse" | "set-aside" = "refuse"): Promise<OwnedDisk> {
  return openDisk({ location, kind, onDamage, memtableBytesMax: MEMTABLE_BYTES, cacheBytesMax: 1024 * 1024 });
}

/** So many words, in batches of a few. */
export async function addWords(
  { log, scheduler, random }: { readonly log: Log; readonly scheduler: VirtualScheduler; readonly random: Random },
  count: number,
): Promise<void> {
  const producer = log.producer();
  for (let left = count; left > 0;) {
    const size = Math.min(left, between(random, 1, 12));
    for (let index = 0; index < size; index++) {
      const key = `key-${between(random, 1, KEYS)}`;
      const letters = String.fromCharCode(97 + between(random, 0, 25)).repeat(between(random, 1, 600));
      const value = random() < 0.06 ? "forget" : `${between(random, 0, 1_000_000)} ${letters}`;
      producer.append(words.name, partitionFor(words, key, Buffer.from(key)), scheduler.now(), Buffer.from(key), Buffer.from(value));
    }
    await settleOver(scheduler, producer.flush());
    left -= size;
  }
  await producer.close();
}

/** What is on the disk now, though somebody has it open: as a kill would leave it. Whatever the database does in the background is over. */
export async function copyAlive(from: string, to: string): Promise<void> {
  for (;;) {
    const before = listing(from);
    await sleep(QUIET_MS);
    if (listing(from) !== before) continue;
    rmSync(to, { recursive: true, force: true });
    try {
      cpSync(from, to, { recursive: true });
    } catch {
      continue;
    }
    if (listing(from) === before) break;
  }
  rmSync(join(to, "disk.pid"), { force: true });
}

export function copyOf(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}

function listing(location: string): string {
  const directory = join(location, "database");
  return readdirSync(directory)
    .map((name) => {
      const { size, mtimeMs } = statSync(join(directory, name), { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: -1 };
      return `${name} ${size} ${mtimeMs}`;
    })
    .join("\n");
}
