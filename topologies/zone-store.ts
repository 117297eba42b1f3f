/** The zones of one task: a store with the policies that its own partition has read, and the table made of it. */
import type { ZonePolicy } from "#schemas";
import type { KeyValueStore } from "#state";
import { Zones } from "./zones.ts";
import type { CellGeometry, ZoneEntry } from "./zones.ts";

export class ZoneStore {
  readonly zones: Zones;
  readonly #store: KeyValueStore<string, ZoneEntry>;

  /** Reads the store once. */
  constructor(store: KeyValueStore<string, ZoneEntry>, geometry: CellGeometry, fallback: ZonePolicy) {
    this.#store = store;
    this.zones = new Zones(geometry, fallback);
    for (const [, entry] of store.range()) this.zones.set(entry);
  }

  /** The policy is in force from the next input on. */
  change(policy: ZonePolicy, at: number): void {
    const entry = this.zones.entryFor(policy, at);
    this.#store.put(policy.zone, entry);
    this.zones.set(entry);
  }
}
