/** Where a courier was and when, from the moves alone. */
import type { EvaluatedInstance, SolutionMove } from "./mdrp-files.ts";
import type { Findings } from "./finding.ts";

/** Standing at one place between two moves. */
export interface Stay {
  /** `0` the on-location, else the id of a restaurant or an order. */
  readonly place: string;
  readonly arrival: number;
  /** Of the next move; Infinity after the last. */
  departure: number;
  /** Line of the move that led here; of the courier's first move for the first stay. */
  readonly line: number;
}

export interface Timeline {
  readonly stays: readonly Stay[];
  readonly drivenMinutes: number;
}

const FILE = "solution_info_couriers.txt";

/** Rule 1: minutes of travel, the straight way rounded up. */
export function travelMinutes(ax: number, ay: number, bx: number, by: number, metersPerMinute: number): number {
  return Math.ceil(Math.sqrt((bx - ax) ** 2 + (by - ay) ** 2) / metersPerMinute);
}

/** Each courier's timeline; checks that moves connect, that nobody leaves before he arrived or before his shift began. */
export function timelinesOf(
  instance: EvaluatedInstance,
  moves: readonly SolutionMove[],
  findings: Findings,
): ReadonlyMap<string, Timeline> {
  const timelines = new Map<string, Timeline>();
  const perCourier = new Map<string, SolutionMove[]>();
  let last = "";
  for (const move of moves) {
    const known = perCourier.get(move.courier);
    if (known === undefined) perCourier.set(move.courier, [move]);
    else {
      if (last !== move.courier) {
        findings.violation(0, `the lines of courier ${move.courier} are not all together`, {
          file: FILE,
          line: move.line,
          courier: move.courier,
        });
      }
      known.push(move);
    }
    last = move.courier;
  }
  for (const [courier, own] of perCourier) {
    const timeline = timelineOf(instance, courier, own, findings);
    if (timeline !== undefined) timelines.set(courier, timeline);
  }
  return timelines;
}

function timelineOf(
  instance: EvaluatedInstance,
  courier: string,
  moves: readonly SolutionMove[],
  findings: Findings,
): Timeline | undefined {
  const shift = instance.couriers.get(courier);
  const [first] = moves;
  if (first === undefined) return undefined;
  if (shift === undefined) {
    findings.violation(11, `courier ${courier} is not in the instance`, { file: FILE, line: first.line, courier });
    return undefined;
  }
  let here: Stay = { place: "0", arrival: shift.on, departure: Infinity, line: first.line };
  let at: { readonly x: number; readonly y: number } = shift;
  const stays: Stay[] = [here];
  let drivenMinutes = 0;
  for (const { line, departure, origin, destination } of moves) {
    const where = { file: FILE, line, courier } as const;
    if (origin !== here.place) findings.violation(7, `leaves ${origin}, but the move before ended at ${here.place}`, where);
    if (departure < here.arrival) {
      const [rule, what] = stays.length === 1 ? ([6, "the shift begins"] as const) : ([7, "he arrives there"] as const);
      findings.violation(rule, `leaves ${origin} at ${departure}, before ${what} at ${here.arrival}`, where);
    }
    const to = instance.restaurants.get(destination) ?? instance.orders.get(destination);
    if (to === undefined) {
      findings.violation(11, `destination ${destination} is neither a restaurant nor an order of the instance`, where);
      return { stays, drivenMinutes };
    }
    here.departure = departure;
    const minutes = travelMinutes(at.x, at.y, to.x, to.y, instance.metersPerMinute);
    drivenMinutes += minutes;
    here = { place: destination, arrival: departure + minutes, departure: Infinity, line };
    at = to;
    stays.push(here);
  }
  return { stays, drivenMinutes };
}
