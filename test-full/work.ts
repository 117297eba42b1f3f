/** How much of the items of a proof is done: by their number, or by their expected time where they say it. */
import type { Item } from "./proof.ts";

export class Work {
  readonly total: number;
  readonly unit: string;
  readonly #left: Map<string, number>;
  readonly #now: () => number;
  #done = 0;
  /** One item at a time where they say how long they take. */
  #begunAt: number;

  constructor(items: readonly Pick<Item<unknown>, "name" | "seconds">[], now: () => number = () => performance.now()) {
    const timed = items.every(({ seconds }) => seconds !== undefined);
    this.#left = new Map(items.map(({ name, seconds }) => [name, timed ? (seconds ?? 0) : 1]));
    this.total = Math.max(1, sum(this.#left.values()));
    this.unit = timed ? "s of work" : "items";
    this.#now = now;
    this.#begunAt = now();
  }

  finished(name: string): void {
    this.#done += this.#left.get(name) ?? 0;
    this.#left.delete(name);
    this.#begunAt = this.#now();
  }

  /** What is under way counts by its time, never as whole. */
  done(): number {
    const [next] = this.#left.values();
    if (next === undefined || this.unit === "items") return this.#done;
    return Math.round(this.#done + Math.min((this.#now() - this.#begunAt) / 1_000, next * 0.95));
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
