/** What the record in hand has changed, in order: rollback plays it backwards. Three arrays that grow once and stay. */

/** Above this many entries the arrays are given back at the next savepoint instead of being kept for ever. */
const KEPT_ENTRIES_MAX = 16_384;

export interface Undoable {
  /** Puts the overlay's entry back as it was; undefined: the overlay had none. */
  restore(key: unknown, previous: unknown): void;
}

export class WriteJournal {
  #tables: Undoable[] = [];
  #keys: unknown[] = [];
  #previous: unknown[] = [];
  #size = 0;

  record(table: Undoable, key: unknown, previous: unknown): void {
    const at = this.#size++;
    this.#tables[at] = table;
    this.#keys[at] = key;
    this.#previous[at] = previous;
  }

  /** From here on `undo` returns to this moment. */
  mark(): void {
    this.#size = 0;
    if (this.#tables.length > KEPT_ENTRIES_MAX) {
      this.#tables = [];
      this.#keys = [];
      this.#previous = [];
    }
  }

  undo(): void {
    while (this.#size > 0) {
      const at = --this.#size;
      this.#tables[at]?.restore(this.#keys[at], this.#previous[at]);
    }
  }
}
