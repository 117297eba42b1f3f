/** The fare of a ride that came without a price: base, distance, and what scarcity adds to them. */
import type { FareLine } from "#schemas";
import { tariff } from "./tariff.ts";

export interface Fare {
  readonly lines: readonly FareLine[];
  readonly totalMinor: number;
}

const NO_SURGE_MILLI = 1_000;

/** The same for the quote and for the bill: whole minor units, rounded down line by line. */
export function fareOf(metres: number, surgeMilli: number): Fare {
  const { baseMinor, perKilometreMinor } = tariff.ride;
  const distanceMinor = Math.floor((perKilometreMinor * metres) / 1000);
  const surgeMinor = Math.floor(((baseMinor + distanceMinor) * (surgeMilli - NO_SURGE_MILLI)) / 1000);
  const lines: FareLine[] = [
    { kind: "base", amountMinor: baseMinor },
    { kind: "distance", amountMinor: distanceMinor },
  ];
  if (surgeMinor > 0) lines.push({ kind: "surge", amountMinor: surgeMinor });
  return { lines, totalMinor: baseMinor + distanceMinor + surgeMinor };
}
