/**
 * The cells of one task in memory, as the stores have them: a tick walks hundreds of drivers and must not decode them again.
 *
 * It follows the stores by a sequence number that is stored with them: whenever the two differ (a record was rolled back, a
 * commit failed and the task began again from what was committed), the index is thrown away and read again.
 */
import type { DriverPresent, JobNearby } from "#schemas";
import type { KeyValueStore, PriorityQueueStore } from "#state";
import type { Cell, CellDecision, CellJob, CellMemory } from "./cell.ts";
import { presenceKey, presenceRow } from "./presence-index.ts";
import type { PresenceRow } from "./presence-index.ts";

/** One row of the task's own: what a decision depends on besides the cells. */
export interface MatchingClock {
  /** Counts records processed. */
  readonly sequence: number;
  /** A tick was written and not yet read: at most one is outstanding. */
  readonly tickOutstanding: boolean;
  /** `now` of the last tick. */
  readonly lastTickAt: number;
}

/** Priority of a job that was proposed: it is not waiting, and comes after all that are. */
export const PROPOSED = Number.MAX_SAFE_INTEGER;
const CLOCK_KEY = "clock";
const NEVER_TICKED: MatchingClock = { sequence: 0, tickOutstanding: false, lastTickAt: 0 };

export interface CellStores {
  /** `<cell>/<driverId>` */
  readonly drivers: KeyValueStore<string, DriverPresent>;
  /** The same drivers by fine cell, for queries alone: no decision reads it. */
  readonly presence: KeyValueStore<string, PresenceRow>;
  /** `<cell>/<jobId>`; queued jobs by the time from which a tick looks at them. */
  readonly queue: PriorityQueueStore<CellJob>;
  /** `<cell>/<jobId>`: jobs of other cells within reach. */
  readonly nearby: KeyValueStore<string, JobNearby>;
  readonly clock: KeyValueStore<string, MatchingClock>;
  /** By cell. */
  readonly memories: KeyValueStore<string, CellMemory>;
}

interface MutableCell extends Cell {
  readonly jobs: Map<string, CellJob>;
  readonly nearby: Map<string, JobNearby>;
  readonly drivers: Map<string, DriverPresent>;
}

export class CellIndex {
  readonly #stores: CellStores;
  #cells = new Map<string, MutableCell>();
  #sequence = -1;

  constructor(stores: CellStores) {
    this.#stores = stores;
  }

  get clock(): MatchingClock {
    return this.#stores.clock.get(CLOCK_KEY) ?? NEVER_TICKED;
  }

  /** Before each record: the index is as the stores are, and counts this record. */
  begin(): void {
    const clock = this.clock;
    if (clock.sequence !== this.#sequence) this.#load();
    this.#sequence = clock.sequence + 1;
    this.setClock({ ...clock, sequence: this.#sequence });
  }

  setClock(clock: MatchingClock): void {
    this.#stores.clock.put(CLOCK_KEY, clock);
  }

  cell(name: string): Cell {
    return this.#cells.get(name) ?? emptyCell(name);
  }

  /** With what its policy remembers, which is read from the store: only a tick asks for it. */
  cellForTick(name: string): Cell {
    return { ...this.cell(name), memory: this.#stores.memories.get(name) };
  }

  /** Cells with a job that a tick at `now` looks at, by name. */
  cellsDue(now: number): readonly string[] {
    const due = new Set<string>();
    for (const { priority, value } of this.#stores.queue.entries()) {
      if (priority > now) break;
      due.add(value.cell);
    }
    return [...due].sort();
  }

  /** When the next tick has something to look at. */
  nextDueAt(): number {
    return this.#stores.queue.peek()?.priority ?? PROPOSED;
  }

  apply(name: string, decision: CellDecision): void {
    const cell = this.#open(name);
    for (const [jobId, job] of decision.jobs) {
      const id = `${name}/${jobId}`;
      if (job === undefined) {
        cell.jobs.delete(jobId);
        this.#stores.queue.delete(id);
      } else {
        cell.jobs.set(jobId, job);
        this.#stores.queue.put(id, job.status === "queued" ? job.notBefore : PROPOSED, job);
      }
    }
    for (const [jobId, job] of decision.nearby ?? []) {
      if (job === undefined) {
        cell.nearby.delete(jobId);
        this.#stores.nearby.delete(`${name}/${jobId}`);
      } else {
        cell.nearby.set(jobId, job);
        this.#stores.nearby.put(`${name}/${jobId}`, job);
      }
    }
    for (const [driverId, driver] of decision.drivers) {
      const id = `${name}/${driverId}`;
      const before = cell.drivers.get(driverId);
      if (before !== undefined && before.fineCell !== driver?.fineCell) this.#stores.presence.delete(presenceKey(before));
      if (driver === undefined) {
        if (cell.drivers.delete(driverId)) this.#stores.drivers.delete(id);
      } else {
        this.#stores.presence.put(presenceKey(driver), presenceRow(driver));
        cell.drivers.set(driverId, driver);
        this.#stores.drivers.put(id, driver);
      }
    }
    if (decision.memory) this.#stores.memories.put(name, decision.memory);
    else if (decision.memory === null) this.#stores.memories.delete(name);
    if (cell.jobs.size > 0 || cell.drivers.size > 0 || cell.nearby.size > 0) return;
    this.#cells.delete(name);
    if (this.#stores.memories.get(name) !== undefined) this.#stores.memories.delete(name);
  }

  #open(name: string): MutableCell {
    let cell = this.#cells.get(name);
    if (cell === undefined) this.#cells.set(name, (cell = emptyCell(name)));
    return cell;
  }

  #load(): void {
    this.#cells = new Map();
    for (const [, driver] of this.#stores.drivers.range()) this.#open(driver.cell).drivers.set(driver.driverId, driver);
    for (const [, job] of this.#stores.nearby.range()) this.#open(job.cell).nearby.set(job.jobId, job);
    for (const { value } of this.#stores.queue.entries()) this.#open(value.cell).jobs.set(value.jobId, value);
  }
}

function emptyCell(name: string): MutableCell {
  return { name, jobs: new Map(), nearby: new Map(), drivers: new Map() };
}
