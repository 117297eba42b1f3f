/**
 * What the customers of a seeded city ask for. Each ten seconds of absolute time are drawn for themselves, and each job by its
 * own id, so any job can be told again from its id alone and nothing has to be remembered.
 */
import type { Demand } from "../fleet-world.ts";
import type { JobFacts } from "../courier/courier-rules.ts";
import { Random } from "../random.ts";
import type { WorldEvent } from "../world.ts";
import type { CityConfig } from "./city-config.ts";
import type { CityMap, CityRestaurant } from "./city-map.ts";

const SLOT_MS = 10_000;
/** Slots whose times are kept: jobs are asked for while they are under way. */
const SLOTS_KEPT = 512;
/** Below this nothing ever comes. */
const PER_MINUTE_MIN = 0.01;
const CANCEL_AFTER_MS_MIN = 60_000;
const CANCEL_AFTER_MS_MAX = 10 * 60_000;
/** Passengers ride in cars only. */
export const PASSENGERS_TAG = "passengers";

type Kind = "o" | "r";

interface CityJob {
  readonly facts: JobFacts;
  readonly placedAt: number;
  readonly priceMinor: number;
  readonly cancelledAt: number | undefined;
}

interface Upcoming {
  readonly at: number;
  readonly jobId: string;
  readonly what: "placed" | "cancelled";
}

export class CityDemand implements Demand {
  readonly #worldId: string;
  readonly #config: CityConfig;
  readonly #map: CityMap;
  readonly #origin: number;
  readonly #prefix: Readonly<Record<Kind, string>>;
  readonly #times = new Map<string, readonly number[]>();
  /** By time; all of the slots drawn so far. */
  #upcoming: Upcoming[] = [];
  #nextSlot: number;

  /** Nothing is asked for before `origin`. */
  constructor(worldId: string, config: CityConfig, map: CityMap, origin: number) {
    this.#worldId = worldId;
    this.#config = config;
    this.#map = map;
    this.#origin = origin;
    this.#nextSlot = Math.floor(origin / SLOT_MS);
    this.#prefix = { o: `s${config.seed}-o`, r: `s${config.seed}-r` };
  }

  nextDueAt(): number {
    const { ordersPerMinute, ridesPerMinute } = this.#config;
    if (this.#upcoming.length === 0 && Math.max(ordersPerMinute, ridesPerMinute) < PER_MINUTE_MIN) return Infinity;
    // A cancellation may wait behind slots that are not drawn yet.
    while (this.#upcoming.length === 0 || (this.#upcoming[0]?.at ?? Infinity) >= this.#nextSlot * SLOT_MS) this.#drawSlot();
    return this.#upcoming[0]?.at ?? Infinity;
  }

  take(out: WorldEvent[]): void {
    const due = this.nextDueAt();
    while (this.#upcoming[0]?.at === due) {
      const upcoming = this.#upcoming.shift();
      const job = upcoming === undefined ? undefined : this.#job(upcoming.jobId);
      if (upcoming !== undefined && job !== undefined) out.push(this.#event(upcoming, job));
    }
  }

  job(jobId: string): JobFacts | undefined {
    return this.#job(jobId)?.facts;
  }

  #drawSlot(): void {
    const slot = this.#nextSlot++;
    const drawn: Upcoming[] = [];
    for (const kind of ["o", "r"] as const) {
      this.#timesOf(kind, slot).forEach((at, index) => {
        if (at < this.#origin) return;
        const jobId = `${this.#prefix[kind]}${slot.toString(36)}.${index}`;
        drawn.push({ at, jobId, what: "placed" });
        if (this.#config.habits.cancelProbability === 0) return;
        const cancelledAt = this.#job(jobId)?.cancelledAt;
        if (cancelledAt !== undefined) drawn.push({ at: cancelledAt, jobId, what: "cancelled" });
      });
    }
    this.#upcoming = [...this.#upcoming, ...drawn].sort((a, b) => a.at - b.at || (a.jobId < b.jobId ? -1 : 1));
  }

  #timesOf(kind: Kind, slot: number): readonly number[] {
    const key = `${kind}${slot}`;
    const known = this.#times.get(key);
    if (known !== undefined) return known;
    const random = new Random(this.#config.seed, `demand/${kind}`, slot);
    const perMinute = kind === "o" ? this.#config.ordersPerMinute : this.#config.ridesPerMinute;
    const count = perMinute < PER_MINUTE_MIN ? 0 : random.poisson((perMinute * SLOT_MS) / 60_000);
    const times = Array.from({ length: count }, () => slot * SLOT_MS + random.below(SLOT_MS)).sort((a, b) => a - b);
    this.#times.set(key, times);
    if (this.#times.size > SLOTS_KEPT) this.#times.delete(this.#times.keys().next().value ?? key);
    return times;
  }

  /** Undefined: an id that is not of this city. */
  #job(jobId: string): CityJob | undefined {
    const kind = jobId.startsWith(this.#prefix.o) ? "o" : jobId.startsWith(this.#prefix.r) ? "r" : undefined;
    if (kind === undefined) return undefined;
    const match = /^([0-9a-z]+)\.(\d+)$/.exec(jobId.slice(this.#prefix[kind].length));
    if (match === null) return undefined;
    const slot = Number.parseInt(match[1] ?? "", 36);
    const index = Number(match[2]);
    const placedAt = this.#timesOf(kind, slot)[index];
    if (placedAt === undefined) return undefined;
    const random = new Random(this.#config.seed, jobId, 0);
    return kind === "o" ? this.#order(jobId, placedAt, random) : this.#ride(jobId, placedAt, random);
  }

  #order(jobId: string, placedAt: number, random: Random): CityJob {
    const restaurant = this.#map.restaurants[random.below(this.#map.restaurants.length)] as CityRestaurant;
    const dropOff = { id: jobId, ...this.#map.near(restaurant, 1_300, random) };
    const readyAt = placedAt + Math.round(restaurant.preparationMs * random.between(0.7, 1.4));
    const priceMinor = 900 + random.below(3_600);
    const facts = { jobId, placeId: restaurant.id, pickup: restaurant, dropOff, readyAt };
    return { facts, placedAt, priceMinor, cancelledAt: this.#cancelledAt(placedAt, random) };
  }

  #ride(jobId: string, placedAt: number, random: Random): CityJob {
    // Asked for without a price: dispatch quotes it.
    const pickup = { id: `${jobId}/pickup`, ...this.#map.somewhere(random) };
    const dropOff = { id: jobId, ...this.#map.near(this.#map.somewhere(random), 800, random) };
    const facts = { jobId, placeId: "", pickup, dropOff, readyAt: placedAt };
    return { facts, placedAt, priceMinor: 0, cancelledAt: this.#cancelledAt(placedAt, random) };
  }

  #cancelledAt(placedAt: number, random: Random): number | undefined {
    const after = Math.round(random.between(CANCEL_AFTER_MS_MIN, CANCEL_AFTER_MS_MAX));
    return random.chance(this.#config.habits.cancelProbability) ? placedAt + after : undefined;
  }

  #event({ at, jobId, what }: Upcoming, { facts, placedAt, priceMinor }: CityJob): WorldEvent {
    const eventId = `${this.#worldId}/${jobId}/${what}`;
    const ride = facts.placeId === "";
    const base = { eventId, occurredAt: at, version: what === "placed" ? 1 : 2 };
    if (what === "cancelled") {
      const reason = "customer";
      if (ride) return { topic: "rides", key: jobId, timestamp: at, value: { ...base, rideId: jobId, type: "RideCancelled", reason } };
      return { topic: "orders", key: jobId, timestamp: at, value: { ...base, orderId: jobId, type: "OrderCancelled", reason } };
    }
    const pickup = this.#map.ground.pointOf(facts.pickup);
    const dropOff = this.#map.ground.pointOf(facts.dropOff);
    const common = { ...base, pickup, dropOff, notBefore: placedAt, currency: "EUR" };
    if (ride) {
      const value = { ...common, type: "RideRequested", rideId: jobId, requirements: [PASSENGERS_TAG], quoteMinor: priceMinor } as const;
      return { topic: "rides", key: jobId, timestamp: at, value };
    }
    const { placeId: restaurantId, readyAt } = facts;
    const value = { ...common, type: "OrderPlaced", orderId: jobId, restaurantId, readyAt, requirements: [], priceMinor } as const;
    return { topic: "orders", key: jobId, timestamp: at, value };
  }
}
