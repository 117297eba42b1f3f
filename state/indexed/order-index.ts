/**
 * Entries ordered by (at, key) in memory: sorted leaves under one array. The order of priority queues and of timers;
 * peek costs nothing, a change is two binary searches and a short splice.
 */

const LEAF_ENTRIES_MAX = 256;

/** `at` is a priority or a due time. */
export class OrderEntry {
  readonly key: string;
  readonly at: number;
  /** The index's count of changes when the entry came; hidden, since entries are handed out as they are. */
  readonly #change: number;

  constructor(key: string, at: number, change: number) {
    this.key = key;
    this.at = at;
    this.#change = change;
  }

  cameAfter(change: number): boolean {
    return this.#change > change;
  }
}

function before(entry: OrderEntry, at: number, key: string): boolean {
  return entry.at < at || (entry.at === at && entry.key < key);
}

export class OrderIndex {
  readonly #entries = new Map<string, OrderEntry>();
  #leaves: OrderEntry[][] = [];
  #changes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): OrderEntry | undefined {
    return this.#entries.get(key);
  }

  first(): OrderEntry | undefined {
    return this.#leaves[0]?.[0];
  }

  set(key: string, at: number): void {
    const present = this.#entries.get(key);
    if (present?.at === at) return;
    if (present !== undefined) this.#remove(present);
    const entry = new OrderEntry(key, at, ++this.#changes);
    this.#entries.set(key, entry);
    this.#insert(entry);
  }

  delete(key: string): void {
    const present = this.#entries.get(key);
    if (present === undefined) return;
    this.#changes++;
    this.#entries.delete(key);
    this.#remove(present);
  }

  /** Replaces everything; keys are distinct. */
  load(entries: Iterable<readonly [key: string, at: number]>): void {
    this.#entries.clear();
    const change = ++this.#changes;
    const all: OrderEntry[] = [];
    for (const [key, at] of entries) {
      const entry = new OrderEntry(key, at, change);
      this.#entries.set(key, entry);
      all.push(entry);
    }
    all.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
    this.#leaves = [];
    for (let start = 0; start < all.length; start += LEAF_ENTRIES_MAX / 2)
      this.#leaves.push(all.slice(start, start + LEAF_ENTRIES_MAX / 2));
  }

  /** In order. What is removed ahead is not seen, what is added or moved meanwhile is not seen either: nothing comes twice. */
  *[Symbol.iterator](): Generator<OrderEntry> {
    const begun = this.#changes;
    let seen = begun;
    let leafAt = 0;
    let position = 0;
    let last: OrderEntry | undefined;
    for (;;) {
      if (seen !== this.#changes && last !== undefined) {
        leafAt = this.#leafFor(last.at, last.key);
        position = lowerBound(this.#leaves[leafAt] ?? [], last.at, last.key);
      }
      seen = this.#changes;
      const leaf = this.#leaves[leafAt];
      if (leaf === undefined) return;
      const entry = leaf[position];
      if (entry === undefined) {
        leafAt++;
        position = 0;
        continue;
      }
      position++;
      if (entry === last || entry.cameAfter(begun)) continue;
      last = entry;
      yield entry;
    }
  }

  #insert(entry: OrderEntry): void {
    const index = this.#leafFor(entry.at, entry.key);
    const leaf = this.#leaves[index];
    if (leaf === undefined) {
      this.#leaves.push([entry]);
      return;
    }
    leaf.splice(lowerBound(leaf, entry.at, entry.key), 0, entry);
    if (leaf.length > LEAF_ENTRIES_MAX) this.#leaves.splice(index + 1, 0, leaf.splice(leaf.length >>> 1));
  }

  #remove(entry: OrderEntry): void {
    const index = this.#leafFor(entry.at, entry.key);
    const leaf = this.#leaves[index];
    if (leaf === undefined) return;
    leaf.splice(lowerBound(leaf, entry.at, entry.key), 1);
    if (leaf.length === 0) this.#leaves.splice(index, 1);
  }

  /** The last leaf whose first entry is not behind (at, key); 0 where there is none. */
  #leafFor(at: number, key: string): number {
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.#leaves[middle]?.[0];
      if (first !== undefined && (before(first, at, key) || (first.at === at && first.key === key))) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : low - 1;
  }
}

function lowerBound(leaf: readonly OrderEntry[], at: number, key: string): number {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = leaf[middle];
    if (entry !== undefined && before(entry, at, key)) low = middle + 1;
    else high = middle;
  }
  return low;
}
