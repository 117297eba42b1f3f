/** Where drivers are, for those who ask: present drivers by fine cell, so that all of a parent cell is one range. */
import { cellPath } from "#geo";
import type { DriverPresent, Vehicle } from "#schemas";

/** Name of the store. */
export const PRESENCE_STORE = "matching-presence";

/** A present driver as last told; the exact position is among the driver's whereabouts. */
export interface PresenceRow {
  readonly driverId: string;
  readonly driverVersion: number;
  readonly latitude: number;
  readonly longitude: number;
  /** When it was told. */
  readonly at: number;
  readonly vehicle: Vehicle;
  /** Jobs at once. */
  readonly capacity: number;
  /** Jobs offered, held or on board. */
  readonly jobs: number;
}

/** The same driver may be present in several dispatch cells of one task: each has its own row. */
export function presenceKey({ fineCell, driverId, cell }: Pick<DriverPresent, "fineCell" | "driverId" | "cell">): string {
  return `${cellPath(fineCell)}/${driverId}/${cell}`;
}

/** Everybody in this cell, of any resolution up to that of fine cells. */
export function presenceRange(cell: string): { readonly from: string; readonly to: string } {
  const path = cellPath(cell);
  return { from: path, to: `${path}8` };
}

export function presenceRow({ driverId, driverVersion, position, at, vehicle, capacity, jobs }: DriverPresent): PresenceRow {
  const { latitude, longitude } = position;
  return { driverId, driverVersion, latitude, longitude, at, vehicle, capacity, jobs: jobs.length };
}
