/** What a feed has given, to be compared with what a view reads. */
import type { StoreKey } from "#state";
import type { RowSink } from "../query/committed-feed.ts";
import type { CommittedView } from "../query/committed-view.ts";

type Rows = readonly (readonly [StoreKey, unknown])[];

const ROWS_MAX = 100_000;

/** Everything of one store. */
export class RowCopy implements RowSink {
  readonly rows = new Map<number, Map<StoreKey, unknown>>();
  readonly failures: unknown[] = [];

  put(partition: number, key: StoreKey, value: unknown): void {
    const rows = this.rows.get(partition) ?? new Map<StoreKey, unknown>();
    this.rows.set(partition, rows.set(key, value));
  }

  delete(partition: number, key: StoreKey): void {
    this.rows.get(partition)?.delete(key);
  }

  clear(partition: number): void {
    this.rows.delete(partition);
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  of(partition: number): Rows {
    return [...(this.rows.get(partition) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** All rows of a partition, in the order of their keys. */
export function rowsInView(view: CommittedView, store: string, partition: number): Rows {
  return view.range(store, { partition, limit: ROWS_MAX }).map(({ key, value }) => [key, value] as const);
}
