/**
 * Which policy holds where, and which dispatch cells a driver reaches. Each subtopology keeps its own table, from the copies
 * of the policies that its own partition reads, so that its decisions depend on nothing else.
 */
import type { Point, ZonePolicy } from "#schemas";
import { DEFAULT_ZONE } from "./default-policy.ts";

/** The H3 questions that zones ask. */
export interface CellGeometry {
  cellOf(point: Point, resolution: number): string;
  resolutionOf(cell: string): number;
  parentOf(cell: string, resolution: number): string;
  centreOf(cell: string): Point;
  /** Cells of a resolution with a part within so many metres of the point, the point's own first, the rest in order of name. */
  cellsWithin(point: Point, resolution: number, metres: number): readonly string[];
  /** As `cellsWithin` for the centre of a cell; the answer may be remembered, and by all tasks together. */
  cellsAround(cell: string, resolution: number, metres: number): readonly string[];
}

/** A zone's policy with what is left of its former ones. */
export interface ZoneEntry {
  readonly policy: ZonePolicy;
  /** Counts the policy changes of the partition: its largest is the table's epoch. */
  readonly epoch: number;
  /** Former resolutions whose cells may still have jobs. */
  readonly former: readonly FormerResolution[];
}
export interface FormerResolution {
  readonly resolution: number;
  readonly haloMetres: number;
  /** When the last deadline of its jobs has passed. */
  readonly until: number;
}

/** An epoch's resolution of points and cells into policies; changed only by `set`. */
export class Zones {
  readonly #entries = new Map<string, ZoneEntry>();
  readonly #geometry: CellGeometry;
  #default: ZonePolicy;
  #epoch = 0;
  #onlyDefault = true;
  /** Fine cell → cells reached, while nothing about it depends on time: drivers share their city's fine cells. */
  readonly #reached = new Map<string, readonly string[]>();

  constructor(geometry: CellGeometry, fallback: ZonePolicy) {
    this.#geometry = geometry;
    this.#default = fallback;
  }

  /** Counts changes: what was computed in another epoch is computed again. */
  get epoch(): number {
    return this.#epoch;
  }

  /** All policies in force, the default first. */
  get policies(): readonly ZonePolicy[] {
    const others = [...this.#entries.values()].map((entry) => entry.policy).filter((policy) => policy.zone !== DEFAULT_ZONE);
    return [this.#default, ...others];
  }

  /** The entry that `policy` makes; nothing changes before `set`. `at` is the time of the change. */
  entryFor(policy: ZonePolicy, at: number): ZoneEntry {
    const before = this.#entries.get(policy.zone);
    const old = before?.policy ?? this.#default;
    const former = (before?.former ?? []).filter((item) => item.until > at && item.resolution !== old.dispatchResolution);
    if (old.dispatchResolution === policy.dispatchResolution) return { policy, epoch: this.#epoch + 1, former };
    const replaced = { resolution: old.dispatchResolution, haloMetres: old.haloMetres, until: at + old.deadlineMs };
    return { policy, epoch: this.#epoch + 1, former: [...former, replaced] };
  }

  set(entry: ZoneEntry): void {
    this.#reached.clear();
    this.#entries.set(entry.policy.zone, entry);
    if (entry.policy.zone === DEFAULT_ZONE) this.#default = entry.policy;
    else this.#onlyDefault = false;
    this.#epoch = Math.max(this.#epoch, entry.epoch);
  }

  /** Of the cell itself, else of the nearest larger cell with a policy, else the default. */
  policyOf(cell: string): ZonePolicy {
    if (this.#onlyDefault) return this.#default;
    for (let resolution = this.#geometry.resolutionOf(cell); resolution >= 0; resolution--) {
      const zone = resolution === this.#geometry.resolutionOf(cell) ? cell : this.#geometry.parentOf(cell, resolution);
      const entry = this.#entries.get(zone);
      if (entry !== undefined) return entry.policy;
    }
    return this.#default;
  }

  /** What holds for a driver in this fine cell; the default for one without a position. */
  policyAt(fineCell: string): ZonePolicy {
    if (this.#onlyDefault || fineCell === "") return this.#default;
    return this.zoneOf(this.#geometry.centreOf(fineCell)).policy;
  }

  /** The dispatch cell of a point by the resolution now in force, and the policy of its zone. */
  zoneOf(point: Point): { readonly cell: string; readonly policy: ZonePolicy } {
    const cell = this.#geometry.cellOf(point, this.#default.dispatchResolution);
    const policy = this.policyOf(cell);
    if (policy.dispatchResolution === this.#default.dispatchResolution) return { cell, policy };
    const own = this.#geometry.cellOf(point, policy.dispatchResolution);
    return { cell: own, policy: this.policyOf(own) };
  }

  /**
   * Dispatch cells that a driver somewhere in `fineCell` reaches, its own first: of every resolution now in force around it,
   * and of former ones whose jobs may still wait. A cell too many does no harm, one too few hides the driver.
   */
  cellsReached(fineCell: string, at: number): readonly string[] {
    // While nothing was published, its first cell is the centre's own: what is remembered there need not be here.
    if (this.#entries.size === 0)
      return this.#geometry.cellsAround(fineCell, this.#default.dispatchResolution, this.#default.haloMetres + FINE_CELL_METRES);
    const known = this.#reached.get(fineCell);
    if (known !== undefined) return known;
    const centre = this.#geometry.centreOf(fineCell);
    const home = this.zoneOf(centre);
    const reached = new Set([home.cell]);
    for (const { resolution, haloMetres } of this.#resolutions(at)) {
      for (const cell of this.#geometry.cellsAround(fineCell, resolution, haloMetres + FINE_CELL_METRES)) reached.add(cell);
    }
    const cells = [...reached];
    if (!this.#inTransition(at)) {
      if (this.#reached.size >= REACHED_MAX) this.#reached.clear();
      this.#reached.set(fineCell, cells);
    }
    return cells;
  }

  #inTransition(at: number): boolean {
    for (const { former } of this.#entries.values()) if (former.some((item) => item.until > at)) return true;
    return false;
  }

  /** Each resolution in force with its widest halo. */
  #resolutions(at: number): readonly { readonly resolution: number; readonly haloMetres: number }[] {
    const widest = new Map<number, number>();
    const add = (resolution: number, metres: number): void => {
      widest.set(resolution, Math.max(metres, widest.get(resolution) ?? 0));
    };
    add(this.#default.dispatchResolution, this.#default.haloMetres);
    for (const { policy, former } of this.#entries.values()) {
      add(policy.dispatchResolution, policy.haloMetres);
      for (const item of former) if (item.until > at) add(item.resolution, item.haloMetres);
    }
    return [...widest].map(([resolution, haloMetres]) => ({ resolution, haloMetres })).sort((a, b) => a.resolution - b.resolution);
  }
}

/** Fine cells remembered with what is reached from them; when full, all are forgotten and computed again. */
const REACHED_MAX = 50_000;

/** A driver may be this far from the centre of his fine cell (H3 resolution 9, the largest on earth). */
const FINE_CELL_METRES = 250;
