/**
 * A bounded cache that drops roughly the least recently used: two Maps. What is used moves to the young one; when that is
 * full it becomes the old one, and the old one is dropped whole. The young one is always right where both have a key.
 */
export class RecentValues<K, V> {
  readonly #youngMax: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** Holds at least half of `entriesMax` and never more. */
  constructor(entriesMax: number) {
    this.#youngMax = Math.max(1, entriesMax >>> 1);
  }

  /** The two Maps together; a key in both counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** As `get`, without counting as a use. */
  peek(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size >= this.#youngMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
