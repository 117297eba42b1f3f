/** Where the search for drivers looks: the stores' rows, or the same rows in memory. Contract, and the stores. */
import { cellGeometry, cellOfPath } from "#geo";
import type { Point } from "#schemas";
import type { CommittedView } from "#streams";
import { PRESENCE_STORE, presenceRange, type DriverWhereabouts, type PresenceRow } from "#topologies";

/** Name of the store. */
export const WHEREABOUTS_STORE = "driver-whereabouts";

/** A row of the presence index. */
export interface PresentDriver {
  readonly row: PresenceRow;
  /** Of the fine cell that he was told to be in. */
  readonly middle: Point;
}

/** As the last accepted location has him. */
export interface LastLocation extends Point {
  readonly onDuty: boolean;
  readonly recordedAt: number;
}

/** A parent cell of fine cells, with its path (`cellPath`). */
export interface PresenceArea {
  readonly cell: string;
  readonly path: string;
}

export interface DriverSource {
  /** Rows of everybody whose fine cell descends from the area, as this partition has them, by their keys. */
  present(partition: number, area: PresenceArea, rowsMax: number): readonly PresentDriver[];
  /** In the order of the ids; undefined for those who are not known in this process. */
  lastLocations(driverIds: readonly string[]): readonly (LastLocation | undefined)[];
}

/** Reads anew each time. */
export function storedDrivers(view: CommittedView): DriverSource {
  return {
    present: (partition, { cell }, rowsMax) =>
      view
        .range(PRESENCE_STORE, { partition, ...presenceRange(cell), limit: rowsMax })
        // The store holds nothing else.
        .map(({ key, value }) => ({ row: value as PresenceRow, middle: middleOf(finePathOf(String(key))) })),
    lastLocations: (driverIds) =>
      view
        .getMany(WHEREABOUTS_STORE, driverIds)
        .map((row) => (row === undefined ? undefined : lastLocation(row.value as DriverWhereabouts))),
  };
}

/** Of a key of the presence store. */
export function finePathOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

export function lastLocation({ duty, latitude, longitude, recordedAt }: DriverWhereabouts): LastLocation {
  return { onDuty: duty === "on", latitude, longitude, recordedAt };
}

/** Middles of fine cells that are remembered; when full, all are forgotten and computed again. */
const MIDDLES_MAX = 50_000;
const middles = new Map<string, Point>();

export function middleOf(finePath: string): Point {
  const known = middles.get(finePath);
  if (known !== undefined) return known;
  if (middles.size >= MIDDLES_MAX) middles.clear();
  const middle = cellGeometry.centreOf(cellOfPath(finePath));
  middles.set(finePath, middle);
  return middle;
}
