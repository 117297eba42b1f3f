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
  /** Jobs that will join the visit he is on the way to. */
  readonly joins: readonly string[];
  /** Visits planned, each the ids of its jobs in order of drop-off. */
  readonly visits: readonly (readonly string[])[];
}

type Row = readonly [string, number, number, readonly number[], readonly string[], readonly (readonly string[])[]];

const VERSION = 1;

export class PlanMemory {
  readonly #drivers: Map<string, RememberedDriver>;

  constructor(drivers: Iterable<RememberedDriver> = []) {
    this.#drivers = new Map(Array.from(drivers, (driver) => [driver.driverId, driver]));
  }

  /** Empty for text of another version: the plan is then made anew. */
  static parse(text: string | undefined): PlanMemory {
    if (text === undefined) return new PlanMemory();
    const { version, drivers } = JSON.parse(text) as { readonly version: number; readonly drivers: readonly Row[] }; // written below
    if (version !== VERSION) return new PlanMemory();
    return new PlanMemory(
      drivers.map(([driverId, since, served, [arrivesAt, latitude, longitude], joins, visits]) => {
        const under = arrivesAt === undefined || latitude === undefined || longitude === undefined;
        return { driverId, since, served, heading: under ? null : { arrivesAt, latitude, longitude }, joins, visits };
      }),
    );
  }

  text(): string {
    const drivers = Array.from(this.#drivers.values(), ({ driverId, since, served, heading, joins, visits }): Row => {
      return [driverId, since, served, heading === null ? [] : [heading.arrivesAt, heading.latitude, heading.longitude], joins, visits];
    });
    return JSON.stringify({ version: VERSION, drivers });
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

  /** When he will be at the counter, if nothing was heard of him on the way: what joined meanwhile did not delay him. */
  arrivalOf({ driverId, position }: KnownDriver): number | undefined {
    const heading = this.#drivers.get(driverId)?.heading;
    if (heading === null || heading === undefined) return undefined;
    return heading.latitude === position.latitude && heading.longitude === position.longitude ? heading.arrivesAt : undefined;
  }
}
