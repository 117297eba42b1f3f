/** The evaluator's own reading of an instance and of a solution: it shares no code with what it judges. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ProofError } from "../errors.ts";
import type { Findings, SolutionFileName } from "./finding.ts";

export interface EvaluatedOrder {
  readonly x: number;
  readonly y: number;
  readonly placement: number;
  readonly restaurant: string;
  readonly ready: number;
}
export interface EvaluatedCourier {
  readonly x: number;
  readonly y: number;
  readonly on: number;
  readonly off: number;
}
export interface EvaluatedInstance {
  readonly orders: ReadonlyMap<string, EvaluatedOrder>;
  readonly couriers: ReadonlyMap<string, EvaluatedCourier>;
  readonly restaurants: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly metersPerMinute: number;
  readonly pickupService: number;
  readonly dropService: number;
  readonly target: number;
  readonly maximum: number;
  readonly payPerOrder: number;
  readonly payPerHour: number;
}

/** Text by file name, of an instance or of a solution. */
export type FileTexts = Readonly<Record<string, string>>;

export interface SolutionBundle {
  readonly line: number;
  readonly assigned: number;
  readonly pickup: number;
  readonly courier: string;
  /** In drop sequence. */
  readonly orders: readonly string[];
}
export interface SolutionOrder {
  readonly line: number;
  readonly order: string;
  readonly placement: number;
  readonly ready: number;
  /** Undefined: not delivered. */
  readonly delivery: { readonly pickup: number; readonly drop: number; readonly courier: string } | undefined;
}
export interface SolutionMove {
  readonly line: number;
  readonly courier: string;
  readonly departure: number;
  readonly origin: string;
  readonly destination: string;
}
export interface Solution {
  readonly bundles: readonly SolutionBundle[];
  readonly orders: readonly SolutionOrder[];
  readonly moves: readonly SolutionMove[];
}

export const INSTANCE_FILES = ["orders.txt", "couriers.txt", "restaurants.txt", "instance_parameters.txt"] as const;
const ORDERS_HEADER = "order placement_time ready_time pickup_time dropoff_time courier";

/** Throws ProofError `EVIDENCE_MISSING` for a file that cannot be read. */
export function readTexts(folder: string, names: readonly string[]): FileTexts {
  const texts: Record<string, string> = {};
  for (const name of names) {
    try {
      texts[name] = readFileSync(join(folder, name), "utf8");
    } catch (cause) {
      throw new ProofError("EVIDENCE_MISSING", `Cannot read ${join(folder, name)}. The folder must hold ${names.join(", ")}.`, { cause });
    }
  }
  return texts;
}

/** Throws ProofError `EVIDENCE_MALFORMED`: without an instance there is nothing to judge by. */
export function parseInstance(texts: FileTexts): EvaluatedInstance {
  const orders = new Map<string, EvaluatedOrder>();
  for (const [id, x, y, placement, restaurant, ready] of table(texts, "orders.txt", 6)) {
    orders.set(word(id), { x: whole(x), y: whole(y), placement: whole(placement), restaurant: word(restaurant), ready: whole(ready) });
  }
  const couriers = new Map<string, EvaluatedCourier>();
  for (const [id, x, y, on, off] of table(texts, "couriers.txt", 5)) {
    couriers.set(word(id), { x: whole(x), y: whole(y), on: whole(on), off: whole(off) });
  }
  const restaurants = new Map<string, { x: number; y: number }>();
  for (const [id, x, y] of table(texts, "restaurants.txt", 3)) restaurants.set(word(id), { x: whole(x), y: whole(y) });
  const parameters = table(texts, "instance_parameters.txt", 7)[0] ?? [];
  const [metersPerMinute = 0, pickupService = 0, dropService = 0, target = 0, maximum = 0, payPerOrder = 0, payPerHour = 0] =
    parameters.map(whole);
  for (const [id, order] of orders) {
    if (!restaurants.has(order.restaurant)) throw malformed(`order ${id} is of an unknown restaurant ${order.restaurant}`);
  }
  return { orders, couriers, restaurants, metersPerMinute, pickupService, dropService, target, maximum, payPerOrder, payPerHour };
}

/** Lines that cannot be read are findings of rule 0 and left out. */
export function parseSolution(texts: FileTexts, findings: Findings): Solution {
  const bundles: SolutionBundle[] = [];
  lines(texts, "solution_info_assignments.txt", findings, (fields, line, fail) => {
    const [assigned = "", pickup = "", courier = "", ...orders] = fields;
    if (!isMinute(assigned) || !isMinute(pickup)) return fail("assignment_time and pickup_time must be whole minutes");
    if (courier === "" || orders.length === 0 || orders.includes(""))
      return fail("a courier and at least one order expected, one space between");
    bundles.push({ line, assigned: Number(assigned), pickup: Number(pickup), courier, orders });
  });
  const orders: SolutionOrder[] = [];
  lines(texts, "solution_info_orders.txt", findings, (fields, line, fail) => {
    const [order = "", placement = "", ready = "", pickup = "", drop = "", courier = ""] = fields;
    if (fields.length !== 6) return fail(`6 fields expected, found ${fields.length}`);
    if (!isMinute(placement) || !isMinute(ready)) return fail("placement_time and ready_time must be whole minutes");
    const row = { line, order, placement: Number(placement), ready: Number(ready) };
    if (pickup === "" && drop === "" && courier === "") return orders.push({ ...row, delivery: undefined });
    if (!isMinute(pickup) || !isMinute(drop) || courier === "") return fail("pickup_time, dropoff_time and courier: all three or none");
    return orders.push({ ...row, delivery: { pickup: Number(pickup), drop: Number(drop), courier } });
  });
  const moves: SolutionMove[] = [];
  lines(texts, "solution_info_couriers.txt", findings, (fields, line, fail) => {
    const [courier = "", departure = "", origin = "", destination = ""] = fields;
    if (fields.length !== 4 || fields.includes("")) return fail("4 fields expected, one space between");
    if (!isMinute(departure)) return fail("departure_time must be a whole minute");
    return moves.push({ line, courier, departure: Number(departure), origin, destination });
  });
  return { bundles, orders, moves };
}

function lines(
  texts: FileTexts,
  file: SolutionFileName,
  findings: Findings,
  take: (fields: readonly string[], line: number, fail: (what: string) => void) => unknown,
): void {
  const text = texts[file];
  if (text === undefined) return findings.violation(0, "the file is missing", { file, line: 1 });
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  else findings.violation(0, "the last line has no line end", { file, line: all.length });
  if (file === "solution_info_orders.txt" && all[0] !== ORDERS_HEADER)
    findings.violation(0, `header expected: ${ORDERS_HEADER}`, { file, line: 1 });
  else if (all[0] === undefined || /^\S+ \d/.test(all[0])) findings.violation(0, "the first line must be a header", { file, line: 1 });
  all.slice(1).forEach((content, index) => {
    const line = index + 2;
    take(content.split(" "), line, (what) => findings.violation(0, what, { file, line }));
  });
}

function table(texts: FileTexts, name: string, columns: number): string[][] {
  const rows = (texts[name] ?? "").trimEnd().split("\n").slice(1);
  return rows.map((row, index) => {
    const fields = row.trimEnd().split("\t");
    if (fields.length !== columns) throw malformed(`${name}, line ${index + 2}: ${columns} fields expected, found ${fields.length}`);
    return fields;
  });
}

function isMinute(text: string): boolean {
  return /^\d+$/.test(text);
}

function word(text: string | undefined): string {
  if (text === undefined || text === "") throw malformed("an empty id");
  return text;
}

function whole(text: string | undefined): number {
  if (text === undefined || !/^-?\d+$/.test(text)) throw malformed(`${JSON.stringify(text)} is no whole number`);
  return Number(text);
}

function malformed(what: string): ProofError {
  return new ProofError("EVIDENCE_MALFORMED", `The instance cannot be judged by: ${what}. Mend its files.`);
}
