/** What a check says in the end. */

/** D1 to D6 as the architecture numbers them; "life": every job's story follows from its orders and its drivers' answers. */
export type InvariantName = "D1" | "D2" | "D3" | "D4" | "D5" | "D6" | "life";

export interface Verdict {
  readonly invariant: InvariantName;
  readonly ok: boolean;
  /** How many facts were checked; what is counted is the check's own. */
  readonly checked: number;
  readonly violationCount: number;
  /** The first of them, each a sentence that names topic, partition and offset. */
  readonly violations: readonly string[];
}

/** How many violations a verdict tells. */
export const VIOLATIONS_TOLD_MAX = 10;

/** Collects one verdict. */
export class Findings {
  readonly #invariant: InvariantName;
  readonly #violations: string[] = [];
  #count = 0;
  #checked = 0;

  constructor(invariant: InvariantName) {
    this.#invariant = invariant;
  }

  /** One more fact was looked at. */
  checked(): void {
    this.#checked++;
  }

  /** `at`: where the record is. */
  violated(topic: string, at: { readonly partition: number; readonly offset: number }, sentence: string): void {
    this.#count++;
    if (this.#violations.length < VIOLATIONS_TOLD_MAX) this.#violations.push(`${topic}-${at.partition}@${at.offset}: ${sentence}`);
  }

  verdict(): Verdict {
    const { invariant, checked } = { invariant: this.#invariant, checked: this.#checked };
    return { invariant, ok: this.#count === 0, checked, violationCount: this.#count, violations: [...this.#violations] };
  }
}
