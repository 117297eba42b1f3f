/** Limits that hold where a descriptor names none. */

/** Decoded committed values kept by each store. */
export const CACHE_ENTRIES_MAX = 100_000;

/** Entries of a priority queue or timer store, whose order is in memory. */
export const INDEX_ENTRIES_MAX = 1_000_000;
