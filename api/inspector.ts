/**
 * What operators look at: topics, stores, topology, lag. One contract, answered from the database of this process or, over
 * HTTP, by the process that holds it: the command line does not care which. Contract only.
 */

/** The most that one call answers, here and over HTTP. */
export const TAIL_RECORDS_MAX = 1_000;
export const RANGE_ROWS_MAX = 1_000;

/** A topic with what it holds now. */
export interface TopicSummary {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: string;
  readonly records: number;
}

export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: unknown;
  /** Decoded; `{ undecodable: hex }` where the bytes cannot be read. */
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface StoreRow {
  readonly key: string | number;
  readonly value: unknown;
  readonly partition: number;
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly committed: number;
  readonly end: number;
  readonly records: number;
  readonly task?: string;
  /** Age of the next record. */
  readonly seconds?: number;
}

export interface TailOptions {
  readonly topic: string;
  readonly partition?: number;
  /** Last records per partition; default 10, at most 1,000. */
  readonly last?: number;
}

export interface RangeQuery {
  readonly store: string;
  readonly from?: string;
  readonly to?: string;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
}

/** Rejects with ApiError (`TOPIC_NOT_FOUND`, `STORE_NOT_FOUND`, `BAD_REQUEST`). */
export interface Inspector {
  topics(): Promise<readonly TopicSummary[]>;
  tail(options: TailOptions): Promise<readonly TopicRecord[]>;
  get(store: string, key: string): Promise<StoreRow | undefined>;
  range(query: RangeQuery): Promise<readonly StoreRow[]>;
  topology(format: "text" | "mermaid"): Promise<string>;
  lag(): Promise<readonly PartitionLag[]>;
}
