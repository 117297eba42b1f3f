/** How long it takes to get somewhere. All times are whole milliseconds. */
import { distanceMetres } from "./distance.ts";
import { planeX, planeY } from "./plane.ts";
import type { Point, Vehicle } from "./point.ts";

export interface TravelModel {
  readonly name: string;
  /** Whole milliseconds from one point to another; 0 for the same point. */
  travelMs(from: Point, to: Point, vehicle: Vehicle): number;
  /** Time at the counter or door: half before, half after the instant of pickup or drop-off. */
  readonly serviceMs: number;
}

/** Metres per second along the straight line, stops and detours included. */
export type Speeds = Readonly<Record<Vehicle, number>>;

/**
 * The car is what the Grubhub instances use for a US city: 320 m a minute. The others are usual averages along city streets
 * divided by a detour of 1.3 against the straight line: motorcycle 28 km/h, bicycle 15 km/h, walking 5 km/h. They are
 * assumptions: a zone's operator measures his own.
 */
export const defaultSpeeds: Speeds = { car: 320 / 60, motorcycle: 6, bicycle: 3.2, walking: 1.07 };

/** Four minutes a stop, as the Grubhub instances have it. */
const SERVICE_MS = 4 * 60_000;

export interface GreatCircleOptions {
  readonly speeds?: Partial<Speeds>;
  /** Default 240,000. */
  readonly serviceMs?: number;
}

export interface PlaneOptions {
  /** Default 320. */
  readonly metresPerMinute?: number;
  /** Default 240,000. */
  readonly serviceMs?: number;
}

export const travelModels = {
  /** Great-circle distance at the vehicle's speed. */
  greatCircle(options: GreatCircleOptions = {}): TravelModel {
    const speeds: Speeds = { ...defaultSpeeds, ...options.speeds };
    return {
      name: "great-circle",
      serviceMs: options.serviceMs ?? SERVICE_MS,
      travelMs: (from, to, vehicle) =>
        Math.ceil((distanceMetres(from.latitude, from.longitude, to.latitude, to.longitude) / speeds[vehicle]) * 1_000),
    };
  },

  /** The Grubhub instances' rule on the plane of `planePoint`: whole minutes, rounded up, the same for every vehicle. */
  plane(options: PlaneOptions = {}): TravelModel {
    const { metresPerMinute = 320, serviceMs = SERVICE_MS } = options;
    return {
      name: "plane",
      serviceMs,
      travelMs(from, to) {
        const x = planeX(to) - planeX(from);
        const y = planeY(to) - planeY(from);
        return Math.ceil(Math.sqrt(x * x + y * y) / metresPerMinute) * 60_000;
      },
    };
  },
} as const;
