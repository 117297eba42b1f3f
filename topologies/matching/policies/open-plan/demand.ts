/** Where orders come from, learnt as they come: each place's orders, counted less and less as time goes by. */
import type { Point } from "#schemas";
import type { OpenJob } from "../../policy.ts";
import type { RememberedDemand, RememberedPlace } from "./plan-memory.ts";

const MINUTE_MS = 60_000;
/** A place with less is forgotten. */
const WEIGHT_MIN = 0.02;
/** No cell remembers more. */
const PLACES_MAX = 512;

/** `keptPerMinute`: what is left of a weight after a minute. */
export function learnDemand(before: RememberedDemand, jobs: readonly OpenJob[], now: number, keptPerMinute: number): RememberedDemand {
  const kept = Number.isFinite(before.until) ? keptPerMinute ** (Math.max(0, now - before.until) / MINUTE_MS) : 0;
  const places = new Map<string, RememberedPlace>();
  for (const place of before.places) {
    const weight = round(place.weight * kept);
    if (weight >= WEIGHT_MIN) places.set(place.placeId, { ...place, weight });
  }
  for (const { content, attempt } of jobs) {
    const { placeId, pickup, placedAt } = content;
    if (placeId === "" || attempt > 1 || placedAt <= before.until || placedAt > now) continue;
    const weight = (places.get(placeId)?.weight ?? 0) + 1;
    places.set(placeId, { placeId, latitude: pickup.latitude, longitude: pickup.longitude, weight });
  }
  const all = [...places.values()];
  if (all.length > PLACES_MAX) all.sort((a, b) => b.weight - a.weight || (a.placeId < b.placeId ? -1 : 1)).length = PLACES_MAX;
  return { until: now, places: all };
}

/** So that the text stays short. */
function round(weight: number): number {
  return Math.round(weight * 1_000) / 1_000;
}

export function pointOf({ latitude, longitude }: RememberedPlace): Point {
  return { latitude, longitude };
}
