/** What a `jobs` partition was told last of each cell's surge, and the fare it quotes for a ride by it. */
import type { JobContent, SurgeChanged } from "#schemas";
import type { KeyValueStore } from "#state";
import { fareOf } from "../billing/fare.ts";

export interface ToldSurge {
  readonly surgeMilli: number;
  /** When it was told: who asked before, and is only heard now, does not pay it. */
  readonly from: number;
  readonly until: number;
}

export interface Quote {
  /** With surge; what the customer pays. */
  readonly priceMinor: number;
  readonly surgeMilli: number;
}

const NO_SURGE_MILLI = 1_000;

export class Surges {
  readonly #store: KeyValueStore<string, ToldSurge>;

  constructor(store: KeyValueStore<string, ToldSurge>) {
    this.#store = store;
  }

  changed({ cell, surgeMilli, at, until }: SurgeChanged): void {
    if (surgeMilli > NO_SURGE_MILLI) this.#store.put(cell, { surgeMilli, from: at, until });
    else this.#store.delete(cell);
  }

  /** In thousandths; 1000 where nothing was told, or it has lapsed, or was not yet. */
  at(cell: string, time: number): number {
    const told = this.#store.get(cell);
    return told === undefined || time < told.from || told.until <= time ? NO_SURGE_MILLI : told.surgeMilli;
  }
}

/** Goods and rides that came with a price keep it: a price once said is a promise. */
export function quoteFor(content: JobContent, metres: number, surgeMilli: number): Quote {
  if (content.kind === "order" || content.priceMinor > 0) return { priceMinor: content.priceMinor, surgeMilli: NO_SURGE_MILLI };
  return { priceMinor: fareOf(metres, surgeMilli).totalMinor, surgeMilli };
}
