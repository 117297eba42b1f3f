/** What matching is told of a driver: one record for each dispatch cell concerned. */
import type { DriverPresent } from "#schemas";
import type { DriverOutput, DriverState } from "./driver.ts";

/** To every cell where the driver is present. */
export function tellCells(state: DriverState, at: number): DriverOutput[] {
  return state.plan.cells.map((cell) => tell(state, cell, true, at));
}

/** `present` false: the driver left this cell, or is off duty or silent. */
export function tell(state: DriverState, cell: string, present: boolean, at: number): DriverOutput {
  const { driverId, plan, whereabouts } = state;
  const record: DriverPresent = {
    type: "DriverPresent",
    cell,
    at,
    driverId,
    driverVersion: plan.version,
    present,
    fineCell: whereabouts.fineCell,
    position: { latitude: whereabouts.latitude, longitude: whereabouts.longitude },
    vehicle: plan.vehicle,
    tags: plan.tags,
    capacity: plan.capacity,
    shiftEndsAt: plan.shiftEndsAt,
    plan: plan.stops,
    jobs: plan.holds.map(({ jobId, status, content, arrived }) => ({
      jobId,
      status,
      placeId: content.placeId,
      readyAt: content.readyAt,
      arrived,
    })),
  };
  return { to: "cell", record };
}

/** The driver's dispatch cells are others now: those entered and those left hear of it, and all of them if `all`. */
export function changeCells(
  state: DriverState,
  cells: readonly string[],
  options: { readonly at: number; readonly all: boolean },
): { readonly state: DriverState; readonly outputs: DriverOutput[] } {
  const { at, all } = options;
  const before = state.plan.cells;
  const changed = cells.length !== before.length || cells.some((cell, i) => cell !== before[i]);
  const after = changed ? { ...state, plan: { ...state.plan, cells } } : state;
  const outputs: DriverOutput[] = [];
  for (const cell of cells) if (all || !before.includes(cell)) outputs.push(tell(after, cell, true, at));
  for (const cell of before) if (!cells.includes(cell)) outputs.push(tell(after, cell, false, at));
  return { state: after, outputs };
}
