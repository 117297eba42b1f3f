/** Every bound and default of the embedded log. */

/** One encoded record, where the topic does not say otherwise. */
export const RECORD_BYTES_MAX = 1024 * 1024;
/** All partitions of all topics together: the size of the shared table of ends, 24 bytes each. */
export const PARTITIONS_MAX = 16_384;
export const POLL_BYTES_MAX = 1024 * 1024;
export const METADATA_BYTES_MAX = 4 * 1024;
export const GROUP_BYTES_MAX = 255;
export const USER_DATA_BYTES_MAX = 64 * 1024;
/** A thread sleeps this long for the lock; after that it waits without blocking its event loop. */
export const LOCK_SLEEP_MS = 10;
/** Sleeps that end because the lock was given on, before a thread stops to compete for it synchronously. */
export const LOCK_ATTEMPTS_MAX = 50;
/** Newest blocks kept in memory for readers of the same thread, all partitions together. */
export const HOT_BYTES_MAX = 4 * 1024 * 1024;
/** Block bytes that one call of `maintain` looks at, over all partitions. */
export const MAINTAIN_BYTES_MAX = 32 * 1024 * 1024;
/** Block bytes that are looked at before the event loop gets its turn. */
export const SLICE_BYTES_MAX = 2 * 1024 * 1024;
/** Keys that one pass of compaction remembers; what is beyond waits for the next pass. */
export const COMPACTION_KEYS_MAX = 200_000;
/** A tombstone stays at least this long after the first pass that met it, so that every reader can see it. */
export const TOMBSTONE_DELAY_MS = 24 * 60 * 60 * 1000;

/**
 * Kept free on the volume: what RocksDB with its default write buffers needs to flush and to merge two levels, several times over.
 */
export const RESERVE_BYTES = 256 * 1024 * 1024;
/** Written between two looks at the volume. */
export const SPACE_LOOK_BYTES = 1024 * 1024;

/** Lets the event loop turn once between slices of a long piece of work. */
export function yieldToLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Holds the event loop of this thread until the returned function is called. */
export function keepLoopAlive(): () => void {
  const timer = setInterval(() => {}, 60_000);
  return () => clearInterval(timer);
}
