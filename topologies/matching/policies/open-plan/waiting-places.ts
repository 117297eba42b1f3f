/** Where drivers without work had better wait: near counters where orders are expected and few others stand. */
import type { KnownDriver, Move, TravelModel } from "../../policy.ts";
import { byId } from "../pairing.ts";
import { pointOf } from "./demand.ts";
import type { OpenPlanValues } from "./parameters.ts";
import type { RememberedDemand, RememberedPlace } from "./plan-memory.ts";

/** A driver with nothing to do now, and where he stands or will. */
export interface Idle {
  readonly driver: KnownDriver;
  /** Others count as standing there, but are not moved. */
  readonly movable: boolean;
  readonly at: { readonly latitude: number; readonly longitude: number };
}

/**
 * What a place asks for spreads over the ways to it and is shared by those who stand near. Moves whose driver gains most come
 * first; at most `movesMax`.
 */
export function chooseMoves(
  idle: readonly Idle[],
  { places }: RememberedDemand,
  { now, travel }: { readonly now: number; readonly travel: TravelModel },
  values: OpenPlanValues,
): readonly Move[] {
  const { movesMax, moveReachMs, moveWithinMs, moveGain, moveTargets } = values;
  if (movesMax <= 0 || places.length === 0 || !idle.some(({ movable }) => movable)) return [];
  const targets = places.toSorted((a, b) => b.weight - a.weight || byId(a.placeId, b.placeId)).slice(0, moveTargets);
  const count = places.length;
  const near = (ways: Float64Array): Float64Array => {
    const nearness = new Float64Array(ways.length);
    for (let p = 0; p < ways.length; p++) nearness[p] = Math.exp(-ways[p]! / moveReachMs);
    return nearness;
  };
  const ofIdle = idle.map(({ driver, at }) => waysTo(places, at, driver, travel));
  const nearIdle = ofIdle.map(near);
  const vehicle = idle[0]!.driver;
  const nearTarget = targets.map((target) => near(waysTo(places, target, vehicle, travel)));
  const indexOf = new Map(places.map(({ placeId }, index) => [placeId, index]));
  const supply = new Float64Array(count);
  for (const nearness of nearIdle) for (let p = 0; p < count; p++) supply[p]! += nearness[p]!;
  const worth = (nearness: Float64Array, own: Float64Array | undefined): number => {
    let sum = 0;
    for (let p = 0; p < count; p++) sum += (places[p]!.weight * nearness[p]!) / (1 + supply[p]! - (own?.[p] ?? 0));
    return sum;
  };
  const moves: Move[] = [];
  const moved = new Set<number>();
  while (moves.length < movesMax) {
    let best = 0;
    let who = -1;
    let where = -1;
    const worths = nearTarget.map((nearness) => worth(nearness, undefined));
    for (let i = 0; i < idle.length; i++) {
      if (!idle[i]!.movable || moved.has(i)) continue;
      const stays = worth(nearIdle[i]!, nearIdle[i]);
      for (let t = 0; t < targets.length; t++) {
        const way = ofIdle[i]![indexOf.get(targets[t]!.placeId)!]!;
        const gain = worths[t]! - moveGain * stays;
        if (way > moveWithinMs || way <= 0 || gain <= best) continue;
        best = gain;
        who = i;
        where = t;
      }
    }
    if (who < 0) break;
    moved.add(who);
    const target = targets[where]!;
    for (let p = 0; p < count; p++) supply[p]! += nearTarget[where]![p]! - nearIdle[who]![p]!;
    const way = ofIdle[who]![indexOf.get(target.placeId)!]!;
    moves.push({ driverId: idle[who]!.driver.driverId, placeId: target.placeId, to: pointOf(target), arrivesAt: now + way });
  }
  return moves.sort((a, b) => byId(a.driverId, b.driverId));
}

function waysTo(places: readonly RememberedPlace[], from: Idle["at"], { vehicle }: KnownDriver, travel: TravelModel): Float64Array {
  const ways = new Float64Array(places.length);
  for (let p = 0; p < places.length; p++) ways[p] = travel.travelMs(from, places[p]!, vehicle);
  return ways;
}
