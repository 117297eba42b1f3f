/**
 * Closed while a thread joins its group: no transaction is open then, and what is done meanwhile is committed under the generation
 * that comes.
 *
 *     open ──close──▶ closing ──what was done is being committed──▶ last ──nothing is in flight──▶ closed ──open──▶ open
 */
export class CommitGate {
  #state: "open" | "closing" | "last" | "closed" = "open";

  /** Commits may be started as they fall due. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  open(): void {
    this.#state = "open";
  }

  /** True once it is closed. */
  close(): boolean {
    if (this.#state === "open") this.#state = "closing";
    return this.#state === "closed";
  }

  /** Each step, when the outcome of the last commit has been taken; true when one more is to be started now. Without commits nothing holds it open. */
  advance(commits: { readonly inFlight: boolean; readonly dirty: boolean } | undefined): boolean {
    if (this.#state !== "closing" && this.#state !== "last") return false;
    if (commits?.inFlight === true) return false;
    if (this.#state === "closing" && commits?.dirty === true) {
      this.#state = "last";
      return true;
    }
    this.#state = "closed";
    return false;
  }
}
