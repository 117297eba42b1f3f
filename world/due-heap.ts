/** Who is due next: slots by due time, ties by slot. Each slot has one due time, changed in place. */
export class DueHeap {
  readonly #dues: number[] = [];
  /** Slots in heap order. */
  readonly #heap: number[] = [];
  /** Where a slot stands in the heap. */
  readonly #at: number[] = [];

  /** The slot due first; −1 when there is none. */
  get first(): number {
    return this.#heap[0] ?? -1;
  }

  /** Infinity when there is none. */
  get firstDueAt(): number {
    return this.dueAt(this.first);
  }

  dueAt(slot: number): number {
    return this.#dues[slot] ?? Infinity;
  }

  /** Slots are small whole numbers, used from 0 upwards. */
  set(slot: number, dueAt: number): void {
    while (this.#dues.length <= slot) {
      this.#at.push(this.#heap.length);
      this.#heap.push(this.#dues.length);
      this.#dues.push(Infinity);
    }
    const before = this.dueAt(slot);
    this.#dues[slot] = dueAt;
    if (dueAt < before) this.#rise(this.#at[slot] ?? 0);
    else if (dueAt > before) this.#sink(this.#at[slot] ?? 0);
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      let least = at;
      if (left < this.#heap.length && this.#before(left, least)) least = left;
      if (left + 1 < this.#heap.length && this.#before(left + 1, least)) least = left + 1;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const slotA = this.#heap[a] ?? 0;
    const slotB = this.#heap[b] ?? 0;
    const dueA = this.dueAt(slotA);
    const dueB = this.dueAt(slotB);
    return dueA < dueB || (dueA === dueB && slotA < slotB);
  }

  #swap(a: number, b: number): void {
    const slotA = this.#heap[a] ?? 0;
    const slotB = this.#heap[b] ?? 0;
    this.#heap[a] = slotB;
    this.#heap[b] = slotA;
    this.#at[slotB] = a;
    this.#at[slotA] = b;
  }
}
