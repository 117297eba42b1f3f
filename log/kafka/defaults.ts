/** Every bound and default of the Kafka adapter, and the real clock. */

export const CLIENT_NAME = "slackline";
export const CLIENT_VERSION = "0.1.0";

/** Wire. */
export const CONNECT_MS_MAX = 5_000;
export const REQUEST_MS_MAX = 10_000;
export const IN_FLIGHT_MAX = 16;
/** An address that failed so often in a row is tried about once a second. */
export const RECONNECT_ROUNDS_MAX = 6;

/** Retries: full jitter between 0 and the cap. */
export const BACKOFF_BASE_MS = 25;
export const BACKOFF_CAP_MS = 1_000;
/** Codes that say "in a moment": the markers of the last transaction are still being written. */
export const SHORT_BACKOFF_BASE_MS = 2;
export const SHORT_BACKOFF_CAP_MS = 20;
/** How long reads of the cluster (metadata, offsets, coordinators) are tried. */
export const ASK_MS_MAX = 30_000;

/** Topics. */
/** Topics whose configuration is asked for in one request. */
export const CONFIGS_PER_REQUEST = 200;
export const ADMIN_MS_MAX = 15_000;
/** The broker has that long; its answer a little longer. */
export const ADMIN_ANSWER_MS_MAX = 20_000;
/** What a batch of one record takes beyond key, value and headers: the batch header and the record's own lengths. */
export const BATCH_OVERHEAD_BYTES = 128;
export const MESSAGE_BYTES_MAX = 1_048_588;

/** Reading. */
export const POLL_BYTES_MAX = 1024 * 1024;
/** Fetching of a partition stops while this much of it waits to be polled. */
export const BUFFER_BYTES_MAX = 1024 * 1024;
export const FETCH_BYTES_MAX = 8 * 1024 * 1024;
export const FETCH_PARTITION_BYTES_MAX = 512 * 1024;
export const FETCH_WAIT_MS_MAX = 200;
/** Long polls at one broker side by side, so that a partition that was emptied does not wait for those that have nothing. */
export const FETCHES_PER_BROKER = 2;
export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;

/** Writing. */
export const BLOCK_BYTES_MAX = 512 * 1024;
export const METADATA_BYTES_MAX = 4 * 1024;
export const TRANSACTION_MS_MAX = 10_000;
export const PRODUCE_MS_MAX = 30_000;
/** How long it is tried to end what a writer that is gone has left open. */
export const FENCE_MS_MAX = 5_000;
/** All batches of one request together; brokers refuse above 100 MB. */
export const PRODUCE_BYTES_MAX = 16 * 1024 * 1024;

/** Groups. */
export const SESSION_MS_MAX = 10_000;
export const REBALANCE_MS_MAX = 30_000;
/** Nobody commits from when it joins anew until the last one has heard that it shall. */
export const HEARTBEAT_MS = 200;
/** While another generation is expected, and how long at most. */
export const HURRIED_HEARTBEAT_MS = 25;
export const HURRY_MS_MAX = 2_000;
export const USER_DATA_BYTES_MAX = 64 * 1024;
/** A static member whose place is taken twice within this time gives it up. */
export const FENCED_AGAIN_MS = 60_000;

/** Time and chance, injected everywhere above the sockets. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Calls back once after the time; the function given back takes it back. */
  readonly after: (ms: number, then: () => void) => () => void;
}

export const realSurroundings: Surroundings = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
