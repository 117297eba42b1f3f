/** Published results on the same instances, to be printed beside one's own. */

/** Means over the 240 public instances; null where not published. */
export interface MdrpReference {
  readonly name: string;
  readonly note: string;
  readonly undeliveredPercent: number;
  readonly clickToDoor: number;
  readonly clickToDoorP90: number;
  readonly overage: number;
  readonly readyToPickup: number;
  readonly readyToPickupP90: number;
  readonly utilisation: number | null;
  readonly costPerOrder: number;
  readonly ordersPerBundle: number | null;
  /** Mean click-to-door less the mean floor of the same 240 instances. */
  readonly excess: number;
}

export const MDRP_REFERENCES: readonly MdrpReference[] = [
  {
    name: "Reyes et al. 2018",
    note: "default rolling horizon, as published",
    undeliveredPercent: 0.25,
    clickToDoor: 32.74,
    clickToDoorP90: 49.3,
    overage: 2.77,
    readyToPickup: 1.93,
    readyToPickupP90: 6.04,
    utilisation: 0.63,
    costPerOrder: 11.42,
    ordersPerBundle: 1.09,
    excess: 2.39,
  },
  {
    name: "FoodMatch",
    note: "its public code run again; travel rounded to seconds (floor 29.86) and two restaurants a bundle allowed",
    undeliveredPercent: 0.47,
    clickToDoor: 31.8,
    clickToDoorP90: 46.9,
    overage: 2.1,
    readyToPickup: 1.94,
    readyToPickupP90: 6.4,
    utilisation: null,
    costPerOrder: 11.28,
    ordersPerBundle: null,
    excess: 1.95,
  },
];

/** What no dispatcher can beat, means over instances. */
export const MDRP_FLOORS = {
  /** Seeds 0 to 4, 120 instances. */
  half: { clickToDoor: 30.4551, costPerOrder: 10.2804, overage: 1.61 },
  all: { clickToDoor: 30.3495, costPerOrder: 10.3655, overage: 2.03 },
} as const;
