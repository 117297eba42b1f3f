/**
 * Rows in key order in memory: leaves of sorted keys under one array of leaves. Keys and values are Latin-1 strings, one
 * character a byte: they compare as bytes do, cannot be changed from outside, and are collected one by one.
 *
 * A view is taken by counting the epoch up: leaves of an older epoch are copied before they change, so that a reader keeps
 * what it saw without a lock and without ever having to say that it has finished.
 */

const LEAF_KEYS_MAX = 256;

interface Leaf {
  epoch: number;
  readonly keys: string[];
  readonly values: string[];
}

/** Position of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The leaf that holds `key` if any does: the last one whose first key is not above it. */
function leafIndex(leaves: readonly Leaf[], key: string): number {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((leaves[middle]?.keys[0] ?? "") <= key) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : low - 1;
}

export class OrderedRows {
  #leaves: Leaf[] = [];
  #leavesEpoch = 0;
  #epoch = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): string | undefined {
    const leaf = this.#leaves[leafIndex(this.#leaves, key)];
    if (leaf === undefined) return undefined;
    const at = lowerBound(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  set(key: string, value: string): void {
    const last = this.#leaves.length - 1;
    const tail = this.#leaves[last];
    const index = tail !== undefined && key >= (tail.keys[0] ?? "") ? last : leafIndex(this.#leaves, key);
    const leaf = this.#writableLeaf(index);
    const keys = leaf.keys;
    const at = keys.length > 0 && key > (keys[keys.length - 1] ?? "") ? keys.length : lowerBound(keys, key);
    if (keys[at] === key) {
      leaf.values[at] = value;
      return;
    }
    this.#size++;
    if (at === keys.length) {
      // Appending at the very end starts a new leaf instead of halving the full one: rising keys leave full leaves behind.
      if (keys.length >= LEAF_KEYS_MAX && index === this.#leaves.length - 1) {
        this.#writableLeaves().push({ epoch: this.#epoch, keys: [key], values: [value] });
        return;
      }
      keys.push(key);
      leaf.values.push(value);
    } else {
      keys.splice(at, 0, key);
      leaf.values.splice(at, 0, value);
    }
    if (keys.length > LEAF_KEYS_MAX) this.#split(index, leaf);
  }

  delete(key: string): void {
    const index = leafIndex(this.#leaves, key);
    const present = this.#leaves[index];
    if (present === undefined) return;
    const at = lowerBound(present.keys, key);
    if (present.keys[at] !== key) return;
    this.#size--;
    if (present.keys.length === 1) {
      this.#writableLeaves().splice(index, 1);
      return;
    }
    const leaf = this.#writableLeaf(index);
    leaf.keys.splice(at, 1);
    leaf.values.splice(at, 1);
  }

  /** Keys and values of [from, to) as of now, whatever is written while the caller reads. */
  view(bounds: ViewBounds): RowCursor {
    this.#epoch++;
    return new RowCursor(this.#leaves, bounds);
  }

  #split(index: number, leaf: Leaf): void {
    const half = leaf.keys.length >>> 1;
    const upper: Leaf = { epoch: this.#epoch, keys: leaf.keys.splice(half), values: leaf.values.splice(half) };
    this.#writableLeaves().splice(index + 1, 0, upper);
  }

  #writableLeaves(): Leaf[] {
    if (this.#leavesEpoch !== this.#epoch) {
      this.#leaves = this.#leaves.slice();
      this.#leavesEpoch = this.#epoch;
    }
    return this.#leaves;
  }

  #writableLeaf(index: number): Leaf {
    const present = this.#leaves[index];
    if (present?.epoch === this.#epoch) return present;
    const leaf: Leaf =
      present === undefined
        ? { epoch: this.#epoch, keys: [], values: [] }
        : { epoch: this.#epoch, keys: present.keys.slice(), values: present.values.slice() };
    this.#writableLeaves()[index] = leaf;
    return leaf;
  }
}

/** Both bounds are optional; `to` is exclusive. */
export interface ViewBounds {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly reverse: boolean;
}

/** Walks leaves that nobody changes any more. */
export class RowCursor {
  key = "";
  value = "";
  readonly #leaves: readonly Leaf[];
  readonly #bounds: ViewBounds;
  #leaf: number;
  #at: number;

  constructor(leaves: readonly Leaf[], bounds: ViewBounds) {
    const { from, to, reverse } = bounds;
    this.#leaves = leaves;
    this.#bounds = bounds;
    const edge = reverse ? to : from;
    this.#leaf = edge === undefined ? (reverse ? leaves.length - 1 : 0) : leafIndex(leaves, edge);
    const keys = leaves[this.#leaf]?.keys ?? [];
    const position = edge === undefined ? (reverse ? keys.length : 0) : lowerBound(keys, edge);
    this.#at = reverse ? position - 1 : position;
  }

  /** Moves to the next row; false at the end. */
  advance(): boolean {
    const { from, to, reverse } = this.#bounds;
    let leaf = this.#leaves[this.#leaf];
    while (leaf !== undefined && (reverse ? this.#at < 0 : this.#at >= leaf.keys.length)) {
      leaf = this.#leaves[(this.#leaf += reverse ? -1 : 1)];
      this.#at = reverse && leaf !== undefined ? leaf.keys.length - 1 : 0;
    }
    if (leaf === undefined) return false;
    const key = leaf.keys[this.#at] ?? "";
    if (reverse ? from !== undefined && key < from : to !== undefined && key >= to) return false;
    this.key = key;
    this.value = leaf.values[this.#at] ?? "";
    this.#at += reverse ? -1 : 1;
    return true;
  }
}
