/** What a cell's open plan is from one tick to the next, as text: bounded by the drivers and jobs that the cell has. */
import type { KnownDriver } from "../../policy.ts";

/** Of one driver. */
export interface RememberedDriver {
  readonly driverId: string;
  /** When he was first heard of in this cell. */
  readonly since: number;
  /** Jobs that he was given. */
  readonly served: number;
  /** On his way to a counter: when he will be there, and where he was last heard of. */
  readonly heading: { readonly arrivesAt: number; readonly latitude: number; readonly longitude: number } | null;
  /** On his way to wait somewhere without a job. */
  readonly moving: { readonly arrivesAt: number; readonly latitude: number; readonly longitude: number } | null;
  /** Jobs that will join the visit he is on the way to. */
  readonly joins: readonly string[];
  /** Visits planned, each the ids of its jobs in order of drop-off. */
  readonly visits: readonly (readonly string[])[];
}

/** Where orders were placed, and how many lately: each counts less as time goes by. */
export interface RememberedPlace {
  readonly placeId: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly weight: number;
}

/** Of a cell. */
export interface RememberedDemand {
  /** Jobs placed until then are counted. */
  readonly until: number;
  readonly places: readonly RememberedPlace[];
}

type Way = readonly number[];
type Row = readonly [string, number, number, Way, Way, readonly string[], readonly (readonly string[])[]];
type PlaceRow = readonly [string, number, number, number];

const VERSION = 2;
const NO_DEMAND: RememberedDemand = { until: -Infinity, places: [] };

export class PlanMemory {
  readonly demand: RememberedDemand;
  readonly #drivers: Map<string, RememberedDriver>;

  constructor(drivers: Iterable<RememberedDriver> = [], demand: RememberedDemand = NO_DEMAND) {
    this.#drivers = new Map(Array.from(drivers, (driver) => [driver.driverId, driver]));
    this.demand = demand;
  }

  /** Empty for text of another version: the plan is then made anew. */
  static parse(text: string | undefined): PlanMemory {
    if (text === undefined) return new PlanMemory();
    // Written below.
    const read = JSON.parse(text) as {
      readonly version: number;
      readonly drivers: readonly Row[];
      readonly until: number | null;
      readonly places: readonly PlaceRow[];
    };
    if (read.version !== VERSION) return new PlanMemory();
    const drivers = read.drivers.map(([driverId, since, served, heading, moving, joins, visits]): RememberedDriver => {
      return { driverId, since, served, heading: wayOf(heading), moving: wayOf(moving), joins, visits };
    });
    const places = read.places.map(([placeId, latitude, longitude, weight]) => ({ placeId, latitude, longitude, weight }));
    return new PlanMemory(drivers, { until: read.until ?? -Infinity, places });
  }

  text(): string {
    const drivers = Array.from(this.#drivers.values(), ({ driverId, since, served, heading, moving, joins, visits }): Row => {
      return [driverId, since, served, wayRow(heading), wayRow(moving), joins, visits];
    });
    const { until, places } = this.demand;
    const rows = places.map(({ placeId, latitude, longitude, weight }): PlaceRow => [placeId, latitude, longitude, weight]);
    return JSON.stringify({ version: VERSION, drivers, until: Number.isFinite(until) ? until : null, places: rows });
  }

  of(driverId: string): RememberedDriver | undefined {
    return this.#drivers.get(driverId);
  }

  servedBy(driverId: string): number {
    return this.#drivers.get(driverId)?.served ?? 0;
  }

  presentSince(driver: KnownDriver, now: number): number {
    return this.#drivers.get(driver.driverId)?.since ?? driver.toldAt ?? now;
  }

  /** Where and when a driver without work will be who was sent to wait, unless something was heard of him since then. */
  movingOf({ driverId, toldAt = 0, plan }: KnownDriver): RememberedDriver["moving"] {
    const moving = this.#drivers.get(driverId)?.moving ?? null;
    return moving === null || plan.length > 0 || toldAt >= moving.arrivesAt ? null : moving;
  }

  /** When he will be at the counter, if nothing was heard of him on the way: what joined meanwhile did not delay him. */
  arrivalOf({ driverId, position }: KnownDriver): number | undefined {
    const heading = this.#drivers.get(driverId)?.heading;
    if (heading === null || heading === undefined) return undefined;
    return heading.latitude === position.latitude && heading.longitude === position.longitude ? heading.arrivesAt : undefined;
  }
}

function wayOf([arrivesAt, latitude, longitude]: Way): RememberedDriver["heading"] {
  if (arrivesAt === undefined || latitude === undefined || longitude === undefined) return null;
  return { arrivesAt, latitude, longitude };
}

function wayRow(way: RememberedDriver["heading"]): Way {
  return way === null ? [] : [way.arrivesAt, way.latitude, way.longitude];
}
