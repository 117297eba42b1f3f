/**
 * The keys of one overlay in encoded order, for ranges. Made at a store's first range and kept from then on: new keys wait
 * in a list and are sorted in when the next range asks, so that a store that is only put to pays for a push.
 */

/** A key with its encoded bytes as a Latin-1 string, one character a byte, so that `<` is the order of the bytes. */
export interface OrderedKey<K> {
  readonly bytes: string;
  readonly key: K;
}

/** Up to this many new keys are put in place one by one; more are sorted with all the others. */
const INSERTED_ONE_BY_ONE_MAX = 32;

export class KeyOrder<K> {
  readonly #encode: (key: K) => string;
  #sorted: OrderedKey<K>[] = [];
  #waiting: K[];

  constructor(encode: (key: K) => string, keys: Iterable<K>) {
    this.#encode = encode;
    this.#waiting = [...keys];
  }

  add(key: K): void {
    this.#waiting.push(key);
  }

  /** The keys of [from, to); undefined is open. A copy. */
  slice(from: string | undefined, to: string | undefined): OrderedKey<K>[] {
    this.#settle();
    const sorted = this.#sorted;
    const begin = from === undefined ? 0 : position(sorted, from);
    return sorted.slice(begin, to === undefined ? sorted.length : Math.max(begin, position(sorted, to)));
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const added = waiting.map((key) => ({ bytes: this.#encode(key), key })); // throws before anything is changed
    this.#waiting = [];
    if (added.length <= INSERTED_ONE_BY_ONE_MAX) {
      for (const entry of added) this.#sorted.splice(position(this.#sorted, entry.bytes), 0, entry);
    } else {
      this.#sorted = [...this.#sorted, ...added].sort((a, b) => (a.bytes < b.bytes ? -1 : 1));
    }
  }
}

/** Two ordered lists as one; a key in both comes once. May be one of the two. */
export function mergeOrdered<K>(first: OrderedKey<K>[], second: OrderedKey<K>[]): OrderedKey<K>[] {
  if (second.length === 0) return first;
  if (first.length === 0) return second;
  const merged: OrderedKey<K>[] = [];
  let one = 0;
  let two = 0;
  for (let a = first[one], b = second[two]; a !== undefined || b !== undefined; a = first[one], b = second[two]) {
    if (b === undefined || (a !== undefined && a.bytes <= b.bytes)) {
      merged.push(a as OrderedKey<K>); // b is undefined only where a is not
      one++;
      if (a?.bytes === b?.bytes) two++;
    } else {
      merged.push(b);
      two++;
    }
  }
  return merged;
}

function position<K>(sorted: readonly OrderedKey<K>[], bytes: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.bytes ?? "") < bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}
