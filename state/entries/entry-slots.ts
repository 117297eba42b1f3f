/**
 * What a table knows of each key, in one place: the entry of the active overlay, of the committing one, and the committed one.
 * So an access is one look-up. Slots of the overlays stay; of the others roughly the least recently used are dropped: there are
 * two Maps. What is used moves to the young one; when that is full it becomes the old one, and the old one is dropped whole.
 */
export class EntrySlot<K, E> {
  readonly key: K;
  active: E | undefined = undefined;
  committing: E | undefined = undefined;
  /** As the rows have it; undefined: not known. */
  committed: E | undefined = undefined;
  /** In the list of the active overlay. A rollback leaves it there, without an entry. */
  listed = false;

  constructor(key: K) {
    this.key = key;
  }
}

const NONE: readonly never[] = [];

export class EntrySlots<K, E> {
  readonly #youngMax: number;
  #young = new Map<K, EntrySlot<K, E>>();
  #old = new Map<K, EntrySlot<K, E>>();
  /** The slot asked for last: what is read is written next. */
  #last: EntrySlot<K, E> | undefined;
  #active: EntrySlot<K, E>[] = [];
  #committing: readonly EntrySlot<K, E>[] = NONE;

  /** Besides what the overlays have or had a moment ago, holds at least half of `committedMax` entries and never more. */
  constructor(committedMax: number) {
    this.#youngMax = Math.max(1, committedMax >>> 1);
  }

  /** In the order in which they were first written to. Some may have no entry any more. */
  get active(): readonly EntrySlot<K, E>[] {
    return this.#active;
  }

  get committing(): readonly EntrySlot<K, E>[] {
    return this.#committing;
  }

  /** Slots that are kept for their committed entries alone; one in both Maps counts twice. */
  get spare(): number {
    return this.#young.size + this.#old.size - this.#active.length - this.#committing.length;
  }

  find(key: K): EntrySlot<K, E> | undefined {
    const last = this.#last;
    if (last !== undefined && last.key === key) return last;
    const young = this.#young.get(key);
    if (young !== undefined) return (this.#last = young);
    const old = this.#old.get(key);
    if (old !== undefined) this.#add(old);
    return old;
  }

  /** As `find`, without counting as a use. */
  peek(key: K): EntrySlot<K, E> | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  findOrAdd(key: K): EntrySlot<K, E> {
    const found = this.find(key);
    if (found !== undefined) return found;
    const slot = new EntrySlot<K, E>(key);
    this.#add(slot);
    return slot;
  }

  /** The slot gets an active entry: from now on it stays. */
  list(slot: EntrySlot<K, E>): void {
    slot.listed = true;
    this.#active.push(slot);
  }

  /** The active overlay becomes the committing one. */
  seal(): void {
    this.#committing = this.#active;
    this.#active = [];
    const committing = this.#committing;
    for (let index = 0; index < committing.length; index++) {
      const slot = committing[index] as EntrySlot<K, E>; // in bounds
      slot.committing = slot.active;
      slot.active = undefined;
      slot.listed = false;
    }
  }

  /** The committing overlay is in the rows. */
  acknowledge(): void {
    const slots = this.#committing;
    this.#committing = NONE;
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] as EntrySlot<K, E>; // in bounds
      if (slot.committing === undefined) continue;
      slot.committed = slot.committing;
      slot.committing = undefined;
    }
    this.#bound();
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#last = undefined;
    this.#active = [];
    this.#committing = NONE;
  }

  #add(slot: EntrySlot<K, E>): void {
    this.#last = slot;
    this.#young.set(slot.key, slot);
    this.#bound();
  }

  #bound(): void {
    if (this.#young.size < this.#youngMax + this.#active.length + this.#committing.length) return;
    this.#old = this.#young;
    this.#young = new Map();
    for (const slot of this.#committing) this.#young.set(slot.key, slot);
    for (const slot of this.#active) this.#young.set(slot.key, slot);
    const last = this.#last;
    if (last !== undefined) this.#young.set(last.key, last);
  }
}
