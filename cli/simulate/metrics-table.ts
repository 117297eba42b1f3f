import { MDRP_FLOORS, MDRP_REFERENCES, type MdrpMetrics } from "#proof";
import { table } from "../terminal/table.ts";

const two = (value: number | null): string => (value === null ? "-" : value.toFixed(2));

/** The metrics of a day beside its own floor and the published means over all instances. */
export function metricsTable(name: string, metrics: MdrpMetrics): string {
  const head = ["", "undel. %", "CtD", "excess", "CtD p90", "overage", "RtoP", "RtoP p90", "utilis.", "cost/order", "orders/bundle"];
  const ours = [
    name,
    two(metrics.undeliveredPercent),
    two(metrics.clickToDoor),
    two(metrics.excess),
    two(metrics.clickToDoorP90),
    two(metrics.overage),
    two(metrics.readyToPickup),
    two(metrics.readyToPickupP90),
    two(metrics.utilisation),
    two(metrics.costPerOrder),
    two(metrics.ordersPerBundle),
  ];
  const floor = ["floor of this day", "-", two(metrics.clickToDoorFloor), "0.00", "-", "-", "-", "-", "-", two(metrics.costFloor), "-"];
  const references = MDRP_REFERENCES.map((reference) => [
    `${reference.name} (mean of 240)`,
    two(reference.undeliveredPercent),
    two(reference.clickToDoor),
    two(reference.excess),
    two(reference.clickToDoorP90),
    two(reference.overage),
    two(reference.readyToPickup),
    two(reference.readyToPickupP90),
    two(reference.utilisation),
    two(reference.costPerOrder),
    two(reference.ordersPerBundle),
  ]);
  const means = [
    "floor (mean of 240)",
    "-",
    two(MDRP_FLOORS.all.clickToDoor),
    "0.00",
    "-",
    two(MDRP_FLOORS.all.overage),
    "-",
    "-",
    "-",
    two(MDRP_FLOORS.all.costPerOrder),
    "-",
  ];
  return table(head, [ours, floor, ...references, means]);
}
