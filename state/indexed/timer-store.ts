/** Durable keyed timers: rows by key in an entry table, the order in an index in memory. */
import { timerCodec } from "../entries/entry-codec.ts";
import type { EntryTable } from "../entries/entry-table.ts";
import { StateError } from "../errors.ts";
import { OrderIndex } from "./order-index.ts";
import { storeFull } from "./priority-queue-store.ts";
import type { TimerClock, TimerEntry, TimerStore } from "../store.ts";

export class IndexedTimerStore implements TimerStore {
  readonly name: string;
  readonly clock: TimerClock;
  readonly #table: EntryTable<string, number>;
  readonly #entriesMax: number;
  readonly #index = new OrderIndex();

  constructor(table: EntryTable<string, number>, options: { readonly clock: TimerClock; readonly entriesMax: number }) {
    this.name = table.name;
    this.clock = options.clock;
    this.#table = table;
    this.#entriesMax = options.entriesMax;
    table.restored = (key) => {
      const at = table.get(key);
      if (at === undefined) this.#index.delete(key);
      else this.#index.set(key, at);
    };
    this.rebuild();
  }

  get size(): number {
    return this.#index.size;
  }

  set(key: string, at: number): void {
    if (!Number.isSafeInteger(at) || at < 0)
      throw new StateError("TIMER_INVALID", `Store ${this.name}, key ${key}: ${at} is not a whole millisecond of 0 or more.`, {
        store: this.name,
        key,
      });
    const present = this.#index.get(key);
    if (present?.at === at) return;
    if (present === undefined && this.#index.size >= this.#entriesMax) throw storeFull(this.name, key, this.#entriesMax);
    this.#table.put(key, at);
    this.#index.set(key, at);
  }

  cancel(key: string): void {
    if (this.#index.get(key) === undefined) return;
    this.#table.delete(key);
    this.#index.delete(key);
  }

  at(key: string): number | undefined {
    return this.#index.get(key)?.at;
  }

  peek(): TimerEntry | undefined {
    return this.#index.first();
  }

  /** The order as the committed rows have it. */
  rebuild(): void {
    this.#index.load(dueTimes(this.#table));
  }
}

function* dueTimes(table: EntryTable<string, number>): Generator<readonly [string, number]> {
  for (const [key, row] of table.committedRows()) yield [key, timerCodec.decode(row, 0, row.length, key)];
}
