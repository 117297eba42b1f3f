/** Many days beside each other: the mean of each figure over the instances, as the published results are given. */
import { MDRP_FLOORS, MDRP_REFERENCES, type MdrpMetrics, type MdrpReference } from "#proof";
import type { MdrpDay } from "./mdrp-day.ts";

export type MdrpFigure = keyof MdrpMetrics;

/** Mean over the days of each figure. NaN of no days. */
export function averageMetrics(days: readonly { readonly metrics: MdrpMetrics }[]): MdrpMetrics {
  const figures = Object.keys(days[0]?.metrics ?? {}) as MdrpFigure[]; // the metrics are a flat object of numbers
  const mean = (figure: MdrpFigure): number => days.reduce((sum, { metrics }) => sum + metrics[figure], 0) / days.length;
  // Every figure of the first day, which has all of them.
  return Object.fromEntries(figures.map((figure) => [figure, mean(figure)])) as unknown as MdrpMetrics;
}

export interface AveragesTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const rows: readonly (readonly [label: string, figure: MdrpFigure, published?: keyof MdrpReference])[] = [
  ["undelivered, %", "undeliveredPercent", "undeliveredPercent"],
  ["click-to-door, min", "clickToDoor", "clickToDoor"],
  ["click-to-door p90, min", "clickToDoorP90", "clickToDoorP90"],
  ["click-to-door floor, min", "clickToDoorFloor"],
  ["excess over the floor, min", "excess", "excess"],
  ["excess over the floor of the delivered, min", "excessDelivered"],
  ["ready-to-door, min", "readyToDoor"],
  ["ready-to-door p90, min", "readyToDoorP90"],
  ["ready-to-pickup, min", "readyToPickup", "readyToPickup"],
  ["ready-to-pickup p90, min", "readyToPickupP90", "readyToPickupP90"],
  ["overage, min", "overage", "overage"],
  ["overage of the delivered, min", "overageDelivered"],
  ["orders above 90 min", "aboveMaximum"],
  ["utilisation", "utilisation", "utilisation"],
  ["cost per order, $", "costPerOrder", "costPerOrder"],
  ["cost floor, $", "costFloor"],
  ["orders per bundle", "ordersPerBundle", "ordersPerBundle"],
];

/** What no dispatcher can beat, where it was published. */
const floors: Partial<Record<MdrpFigure, number>> = {
  ...MDRP_FLOORS.all,
  clickToDoorFloor: MDRP_FLOORS.all.clickToDoor,
  costFloor: MDRP_FLOORS.all.costPerOrder,
  excess: 0,
};

/** A row a figure; a column a policy, then the published means over all 240 instances. */
export function averagesTable(days: readonly MdrpDay[]): AveragesTable {
  const policies = [...new Set(days.map(({ policy }) => policy))].sort();
  const byPolicy = policies.map((policy) => days.filter((day) => day.policy === policy));
  const means = byPolicy.map(averageMetrics);
  const head = ["mean over instances", ...policies, ...MDRP_REFERENCES.map(({ name }) => name), "floor of all 240"];
  const of = (tell: (days: readonly MdrpDay[]) => string): readonly string[] => byPolicy.map(tell);
  const blank = [...MDRP_REFERENCES.map(() => ""), ""];
  return {
    head,
    rows: [
      ["instances", ...of((all) => String(all.length)), ...MDRP_REFERENCES.map(() => "240"), "240"],
      ["feasible by every rule", ...of((all) => counted(all, ({ feasible }) => feasible)), ...blank],
      ["invariants clean", ...of((all) => counted(all, ({ clean }) => clean)), ...blank],
      ...rows.map(([label, figure, published]) => [
        label,
        ...means.map((mean) => figureText(mean[figure])),
        ...MDRP_REFERENCES.map((reference) => (published === undefined ? "" : figureText(reference[published]))),
        figureText(floors[figure]),
      ]),
      ["seconds per day", ...of((all) => figureText(all.reduce((sum, { seconds }) => sum + seconds, 0) / all.length)), ...blank],
    ],
  };
}

function counted(days: readonly MdrpDay[], count: (day: MdrpDay) => boolean): string {
  return `${days.filter(count).length} of ${days.length}`;
}

function figureText(value: string | number | null | undefined): string {
  return typeof value === "number" ? value.toFixed(2) : "";
}
