/** The ground of a seeded city: where its restaurants and its people are. */
import type { Ground, Place, Spot } from "../courier/courier-rules.ts";
import { Random } from "../random.ts";
import type { CityConfig } from "./city-config.ts";

export interface CityMap {
  readonly ground: Ground;
  readonly restaurants: readonly CityRestaurant[];
  /** A spot where people are: near one of the quarters. */
  somewhere(random: Random): Spot;
  /** A spot about so far away, within the city. */
  near(from: Spot, metres: number, random: Random): Spot;
}

export interface CityRestaurant extends Place {
  /** Mean time from order to ready. */
  readonly preparationMs: number;
}

const METRES_PER_DEGREE = 111_194.9;
const QUARTER_SPREAD_METRES = 700;
const PREPARATION_MS_MIN = 8 * 60_000;
const PREPARATION_MS_MAX = 22 * 60_000;

export function cityMap(config: CityConfig): CityMap {
  const { seed, radiusMetres } = config;
  const quarters = Array.from({ length: Math.max(3, Math.round(radiusMetres / 900)) }, (_, index): Spot => {
    const random = new Random(seed, `quarter/${index}`, 0);
    const far = radiusMetres * 0.85 * Math.sqrt(random.float());
    const angle = random.between(0, 2 * Math.PI);
    return { x: far * Math.cos(angle), y: far * Math.sin(angle) };
  });
  const near = (from: Spot, metres: number, random: Random): Spot => {
    const spot = { x: from.x + metres * random.normal(), y: from.y + metres * random.normal() };
    const far = Math.sqrt(spot.x * spot.x + spot.y * spot.y);
    return far <= radiusMetres ? spot : { x: (spot.x * radiusMetres) / far, y: (spot.y * radiusMetres) / far };
  };
  const somewhere = (random: Random): Spot =>
    near(quarters[random.below(quarters.length)] ?? { x: 0, y: 0 }, 2 * QUARTER_SPREAD_METRES, random);
  const restaurants = Array.from({ length: config.restaurants }, (_, index): CityRestaurant => {
    const random = new Random(seed, `restaurant/${index}`, 0);
    const quarter = quarters[random.below(quarters.length)] ?? { x: 0, y: 0 };
    const preparationMs = Math.round(random.between(PREPARATION_MS_MIN, PREPARATION_MS_MAX));
    return { id: `s${seed}-r${index + 1}`, ...near(quarter, QUARTER_SPREAD_METRES, random), preparationMs };
  });
  return { ground: groundAround(config), restaurants, somewhere, near };
}

/** Metres around the centre as degrees: exact enough for a city, and straight lines stay straight. */
function groundAround({ centre }: CityConfig): Ground {
  const perDegreeEast = METRES_PER_DEGREE * Math.cos((centre.latitude * Math.PI) / 180);
  return {
    pointOf: ({ x, y }) => ({ latitude: centre.latitude + y / METRES_PER_DEGREE, longitude: centre.longitude + x / perDegreeEast }),
    spotOf: ({ latitude, longitude }) => ({
      x: (longitude - centre.longitude) * perDegreeEast,
      y: (latitude - centre.latitude) * METRES_PER_DEGREE,
    }),
  };
}
