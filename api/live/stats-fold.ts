/** What happened by hour and cell, counted from the committed trips as they come; the last two days. */
import { cellOf } from "#geo";
import type { TripChanged } from "#schemas";
import type { HourOfCell } from "../queries/queries.ts";

export const HOUR_MS = 60 * 60_000;
/** About 5 km² a cell. */
export const STATS_RESOLUTION = 7;
/** Hours kept, and cells of each; what comes beyond is counted under the cell "". */
export const STATS_HOURS_KEPT = 48;
const CELLS_MAX = 5_000;

interface Counts {
  placed: number;
  assigned: number;
  pickedUp: number;
  completed: number;
  cancelled: number;
  failed: number;
  assignedMs: number;
  pickupMs: number;
  dropOffMs: number;
}

export class StatsFold {
  readonly #hours = new Map<number, Map<string, Counts>>();
  #newest = 0;

  add(trip: TripChanged): void {
    const { state, at, content } = trip;
    if (content === null) return;
    const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
    if (hour <= this.#newest - STATS_HOURS_KEPT * HOUR_MS) return;
    const counts = this.#countsOf(hour, cellOf(content.pickup, STATS_RESOLUTION));
    const waited = at - content.placedAt;
    switch (state) {
      case "open":
        // Opened again after a driver gave it back is not placed once more.
        if (trip.jobVersion === 1) counts.placed++;
        return;
      case "assigned":
        counts.assigned++;
        counts.assignedMs += waited;
        return;
      case "pickedUp":
        counts.pickedUp++;
        counts.pickupMs += waited;
        return;
      case "completed":
        counts.completed++;
        counts.dropOffMs += waited;
        return;
      case "cancelled":
      case "failed":
        counts[state]++;
        return;
      case "offered":
      case "atPickup":
        return;
      default:
        throw new TypeError(`uncounted state ${String(state satisfies never)}`);
    }
  }

  /** Hours in [from, to), in order; of cells for which `holds` is true. */
  between(from: number, to: number, holds: (cell: string) => boolean): readonly HourOfCell[] {
    const rows: HourOfCell[] = [];
    for (const hour of [...this.#hours.keys()].sort((a, b) => a - b)) {
      if (hour < from || hour >= to) continue;
      for (const [cell, counts] of this.#hours.get(hour) ?? []) if (holds(cell)) rows.push(rowOf(hour, cell, counts));
    }
    return rows;
  }

  #countsOf(hour: number, cell: string): Counts {
    let cells = this.#hours.get(hour);
    if (cells === undefined) {
      this.#hours.set(hour, (cells = new Map<string, Counts>()));
      this.#newest = Math.max(this.#newest, hour);
      for (const old of this.#hours.keys()) if (old <= this.#newest - STATS_HOURS_KEPT * HOUR_MS) this.#hours.delete(old);
    }
    const name = cells.has(cell) || cells.size < CELLS_MAX ? cell : "";
    let counts = cells.get(name);
    if (counts === undefined) {
      counts = { placed: 0, assigned: 0, pickedUp: 0, completed: 0, cancelled: 0, failed: 0, assignedMs: 0, pickupMs: 0, dropOffMs: 0 };
      cells.set(name, counts);
    }
    return counts;
  }
}

function rowOf(hour: number, cell: string, counts: Counts): HourOfCell {
  const { placed, assigned, pickedUp, completed, cancelled, failed, assignedMs, pickupMs, dropOffMs } = counts;
  return {
    hour,
    cell,
    placed,
    assigned,
    pickedUp,
    completed,
    cancelled,
    failed,
    toAssignedMs: mean(assignedMs, assigned),
    toPickupMs: mean(pickupMs, pickedUp),
    toDropOffMs: mean(dropOffMs, completed),
  };
}

function mean(sum: number, count: number): number | null {
  return count === 0 ? null : Math.round(sum / count);
}
