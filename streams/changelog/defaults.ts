/** Every bound of following changelogs. */

/** What one step takes from changelogs at most, so that tasks that run beside it keep their pace. */
export const FOLLOW_BYTES_MAX = 256 * 1024;

/**
 * Deletions are kept by a compacted topic for a day (`delete.retention.ms`). Rows that stood still for longer than this may have
 * missed one that is gone, and are restored from the start.
 */
export const ROWS_AGE_MS_MAX = 20 * 60 * 60 * 1000;
