/**
 * The event ids of a driver's last accepted locations, as hashes of 4 bytes. The newest few are in the row that each location
 * writes; older ones are in a row of their own that every sixteenth location writes, and a small filter beside the newest says
 * whether that row is worth reading. So the row of every location is short, and nothing is remembered less.
 */
import { RECENT_EVENTS_MAX } from "../recent-events.ts";

/** Hashes in the row that each location writes. */
export const NEWEST_MAX = 16;
const HASH_BYTES = 4;
/** Eight bits for each of 64 ids: with five of them set for an id, one unknown id in 45 looks known and costs a read. */
const FILTER_BYTES = 64;
const BITS_PER_HASH = 5;
export const NO_HASHES = Buffer.alloc(0);
/**
 * Hashes lie in small blocks of their own. In those of `Buffer`, 64 KiB that everybody shares, the row of each driver who went home
 * would keep a whole one from being freed.
 */
const BLOCK_BYTES = 4_096;
let block = NO_HASHES;
let blockUsed = 0;

/** FNV-1a over the UTF-16 units, 32 bits. Two of 64 remembered ids look alike once in 60 million locations. */
export function hashId(eventId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < eventId.length; i++) hash = Math.imul(hash ^ eventId.charCodeAt(i), 0x01000193);
  return hash;
}

export function contains(hashes: Buffer, hash: number): boolean {
  // Nearly always the first byte of all of them is another one.
  const first = hash & 255;
  for (let i = 0; i < hashes.length; i += HASH_BYTES) if (hashes[i] === first && hashes.readInt32LE(i) === hash) return true;
  return false;
}

/** The newest hashes with one more at place `at`; a copy, since what was stored is never changed. */
export function withNewest(newest: Buffer, at: number, hash: number): Buffer {
  const grows = newest.length < NEWEST_MAX * HASH_BYTES;
  const copy = room(grows ? newest.length + HASH_BYTES : newest.length);
  newest.copy(copy);
  copy.writeInt32LE(hash, grows ? newest.length : at * HASH_BYTES);
  return copy;
}

/** The older hashes with `NEWEST_MAX` more, oldest first, of which the last 64 stay. */
export function withOlder(older: Buffer, newest: Buffer): Buffer {
  const bytes = Math.min(older.length + newest.length, RECENT_EVENTS_MAX * HASH_BYTES);
  const kept = bytes - newest.length;
  const all = Buffer.allocUnsafeSlow(bytes);
  older.copy(all, 0, older.length - kept);
  newest.copy(all, kept);
  return all;
}

function room(bytes: number): Buffer {
  if (blockUsed + bytes > block.length) {
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    blockUsed = 0;
  }
  const from = blockUsed;
  blockUsed += bytes;
  return block.subarray(from, blockUsed);
}

/** True for each of the hashes, and rarely for another one. */
export function filterOf(hashes: Buffer): Buffer {
  const filter = Buffer.alloc(FILTER_BYTES);
  for (let i = 0; i < hashes.length; i += HASH_BYTES) {
    const hash = hashes.readInt32LE(i);
    for (let turn = 0; turn < BITS_PER_HASH; turn++) {
      const bit = bitOf(hash, turn);
      filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return filter;
}

export function mayContain(filter: Buffer, hash: number): boolean {
  if (filter.length === 0) return false;
  for (let turn = 0; turn < BITS_PER_HASH; turn++) {
    const bit = bitOf(hash, turn);
    if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Two halves of a spread hash, one walked along by the other (Kirsch and Mitzenmacher, Less Hashing, Same Performance, 2006). */
function bitOf(hash: number, turn: number): number {
  const spread = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((spread & 0xffff) + turn * ((spread >>> 16) | 1)) & (FILTER_BYTES * 8 - 1);
}
