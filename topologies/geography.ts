/** Every question that the topologies ask about the earth, in one contract; `h3-geography.ts` answers with H3. */
import type { Point, ZonePolicy } from "#schemas";
import type { TravelModel } from "./matching/policy.ts";
import type { CellGeometry } from "./zones.ts";

/** Pure: the same question has the same answer in every process. */
export interface Geography extends CellGeometry {
  /** H3 resolution 9. */
  fineCellOf(point: Point): string;
  /** True only if the point lies inside the inscribed circle of the fine cell; no H3 call but for a cell not seen lately. */
  surelyIn(fineCell: string, point: Point): boolean;
  metresBetween(a: Point, b: Point): number;
  /** Fine cells at exactly this grid distance. */
  ring(fineCell: string, distance: number): readonly string[];
  /**
   * The zone's model with the zone's numbers: parameters `metresPerMinute` (plane), `carMetresPerSecond` and its like for each
   * vehicle (great-circle), and `serviceMs` (both); the models' own defaults otherwise.
   */
  travelModel(zone: Pick<ZonePolicy, "travelModel" | "parameters">): TravelModel;
}
