/** What should be there beside what is there. */
export interface ComparisonVerdict {
  readonly ok: boolean;
  /** Facts compared. */
  readonly checked: number;
  readonly violationCount: number;
  /** The first of them, each a sentence. */
  readonly violations: readonly string[];
}

const violationsTold = 10;

/** Collects one verdict. */
export class Comparison {
  #checked = 0;
  #count = 0;
  readonly #violations: string[] = [];

  /** Two maps from key to a text that says all that is compared. */
  equal(store: string, folded: ReadonlyMap<string, string>, held: ReadonlyMap<string, string>): void {
    for (const [key, expected] of folded) {
      this.#checked++;
      const actual = held.get(key);
      if (actual !== expected) this.violated(`${store}[${key}] is ${actual ?? "absent"}, the log says ${expected}`);
    }
    for (const [key, actual] of held)
      if (!folded.has(key)) this.violated(`${store}[${key}] is ${actual}, the log has nothing that made it`);
  }

  verdict(): ComparisonVerdict {
    return { ok: this.#count === 0, checked: this.#checked, violationCount: this.#count, violations: this.#violations };
  }

  checked(): void {
    this.#checked++;
  }

  violated(sentence: string): void {
    this.#count++;
    if (this.#violations.length < violationsTold) this.#violations.push(sentence);
  }
}
