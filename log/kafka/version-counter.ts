/** A number that grows when something may be there to read, and those who wait for it. */
export class VersionCounter {
  #value = 0;
  /** One promise for all who wait for the same change. */
  #next: PromiseWithResolvers<void> | undefined;

  get value(): number {
    return this.#value;
  }

  bump(): void {
    this.#value += 1;
    this.#next?.resolve();
    this.#next = undefined;
  }

  changed(since: number): Promise<void> {
    if (this.#value > since) return Promise.resolve();
    this.#next ??= Promise.withResolvers<void>();
    return this.#next.promise;
  }
}
