/** A priority queue: rows by id in an entry table, the order in an index in memory that follows every write and rollback. */
import { decodePriority } from "../entries/entry-codec.ts";
import type { EntryTable } from "../entries/entry-table.ts";
import { StateError } from "../errors.ts";
import { OrderIndex } from "./order-index.ts";
import type { PriorityEntry, PriorityQueueStore } from "../store.ts";

export class IndexedPriorityQueueStore<V> implements PriorityQueueStore<V> {
  readonly name: string;
  readonly #table: EntryTable<string, PriorityEntry<V>>;
  readonly #entriesMax: number;
  readonly #index = new OrderIndex();

  constructor(table: EntryTable<string, PriorityEntry<V>>, entriesMax: number) {
    this.name = table.name;
    this.#table = table;
    this.#entriesMax = entriesMax;
    table.restored = (id) => {
      const entry = table.get(id);
      if (entry === undefined) this.#index.delete(id);
      else this.#index.set(id, entry.priority);
    };
    this.rebuild();
  }

  get size(): number {
    return this.#index.size;
  }

  get(id: string): PriorityEntry<V> | undefined {
    return this.#index.get(id) === undefined ? undefined : this.#table.get(id);
  }

  put(id: string, priority: number, value: V): void {
    if (!Number.isFinite(priority))
      throw new StateError("PRIORITY_INVALID", `Store ${this.name}, id ${id}: the priority ${priority} is not a finite number.`, {
        store: this.name,
        key: id,
      });
    if (this.#index.get(id) === undefined && this.#index.size >= this.#entriesMax) throw storeFull(this.name, id, this.#entriesMax);
    this.#table.put(id, { id, priority, value });
    this.#index.set(id, priority);
  }

  delete(id: string): void {
    if (this.#index.get(id) === undefined) return;
    this.#table.delete(id);
    this.#index.delete(id);
  }

  peek(): PriorityEntry<V> | undefined {
    const first = this.#index.first();
    return first === undefined ? undefined : this.#table.get(first.key);
  }

  *entries(): IterableIterator<PriorityEntry<V>> {
    for (const { key } of this.#index) {
      const entry = this.#table.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  /** The order as the committed rows have it. */
  rebuild(): void {
    this.#index.load(priorities(this.#table));
  }
}

function* priorities<V>(table: EntryTable<string, PriorityEntry<V>>): Generator<readonly [string, number]> {
  for (const [id, row] of table.committedRows()) {
    // Whoever looks at the first entries would otherwise read the row again, one by one.
    table.remember(id, row);
    yield [id, decodePriority(row, 0, row.length)];
  }
}

/** The bound of an index in memory is reached: nothing was changed. */
export function storeFull(store: string, key: string, entriesMax: number): StateError {
  return new StateError("STORE_FULL", `Store ${store} holds ${entriesMax} entries already; ${key} does not fit. Raise entriesMax.`, {
    store,
    key,
  });
}
