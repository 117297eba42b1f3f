/** The breaker of one task: too many failures among the newest units of work are no bad data but a bad program or schema. */
export class FailureWindow {
  readonly #failed: Uint8Array;
  readonly #failuresMax: number;
  #at = 0;
  #failures = 0;

  constructor(options: { readonly units: number; readonly ratioMax: number }) {
    this.#failed = new Uint8Array(Math.max(1, options.units));
    this.#failuresMax = options.ratioMax * this.#failed.length;
  }

  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    // Nothing to forget as a rule: one comparison per record.
    if (this.#failures > 0) this.#replace(0);
  }

  /** False when the bound is passed and the task has to stop. */
  failed(): boolean {
    this.#replace(1);
    return this.#failures <= this.#failuresMax;
  }

  #replace(outcome: 0 | 1): void {
    this.#failures += outcome - (this.#failed[this.#at] ?? 0);
    this.#failed[this.#at] = outcome;
    this.#at = (this.#at + 1) % this.#failed.length;
  }
}
