import * as fc from "fast-check";
import { munkres } from "munkres";
import { expect, test } from "vitest";
import { assignAtMinimumCost } from "./minimum-cost-assignment.ts";

const sizes = { min: 1, max: 9 } as const;

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** Few distinct costs, so that ties are common; a pair is forbidden now and then. */
function matrices(forbidden: boolean, cost: fc.Arbitrary<number> = fc.integer({ min: -20, max: 20 })): fc.Arbitrary<Matrix> {
  const value = forbidden ? fc.oneof({ weight: 3, arbitrary: cost }, { weight: 1, arbitrary: fc.constant(Infinity) }) : cost;
  return fc
    .tuple(fc.integer(sizes), fc.integer(sizes))
    .chain(([rows, columns]) =>
      fc.array(value, { minLength: rows * columns, maxLength: rows * columns }).map((values) => ({ rows, columns, values })),
    );
}

function solve({ rows, columns, values }: Matrix, unassigned?: readonly number[]) {
  const problem = { rows, columns, costs: Float64Array.from(values) };
  return assignAtMinimumCost(unassigned === undefined ? problem : { ...problem, unassignedCosts: Float64Array.from(unassigned) });
}

/** The oracle sees a column for each row's way out, so that it is never left without a choice. */
function oracleCost({ rows, columns, values }: Matrix, unassigned: readonly number[]): number {
  const forbidden = 1e6;
  const matrix = Array.from({ length: rows }, (_, row) => [
    ...values.slice(row * columns, (row + 1) * columns).map((value) => (value === Infinity ? forbidden : value)),
    ...unassigned.map((alone, other) => (other === row ? alone : forbidden)),
  ]);
  return munkres(matrix).reduce((sum, [row, column]) => sum + (matrix[row]?.[column] ?? Number.NaN), 0);
}

function costWithAlone({ columns, values }: Matrix, columnOfRow: Int32Array, unassigned: readonly number[]): number {
  return columnOfRow.reduce((sum, column, row) => sum + ((column < 0 ? unassigned[row] : values[row * columns + column]) ?? Number.NaN), 0);
}

function expectProper(columnOfRow: Int32Array): void {
  const taken = [...columnOfRow].filter((column) => column >= 0);
  expect(new Set(taken).size).toBe(taken.length);
}

test("costs what the oracle's assignment costs", () => {
  fc.assert(
    fc.property(matrices(false), (matrix) => {
      const { columnOfRow, cost } = solve(matrix);
      expectProper(columnOfRow);
      expect([...columnOfRow].filter((column) => column >= 0)).toHaveLength(Math.min(matrix.rows, matrix.columns));
      const square = Array.from({ length: matrix.rows }, (_, row) => matrix.values.slice(row * matrix.columns, (row + 1) * matrix.columns));
      const best = munkres(square).reduce((sum, [row, column]) => sum + (square[row]?.[column] ?? Number.NaN), 0);
      expect(cost).toBe(best);
    }),
    { numRuns: 1000 },
  );
});

test("takes no forbidden pair, leaves a row alone where that is cheaper, and still costs what the oracle's does", () => {
  const problems = matrices(true).chain((matrix) =>
    fc.tuple(fc.constant(matrix), fc.array(fc.integer({ min: -25, max: 40 }), { minLength: matrix.rows, maxLength: matrix.rows })),
  );
  fc.assert(
    fc.property(problems, ([matrix, unassigned]) => {
      const { columnOfRow } = solve(matrix, unassigned);
      expectProper(columnOfRow);
      expect(costWithAlone(matrix, columnOfRow, unassigned)).toBe(oracleCost(matrix, unassigned));
    }),
    { numRuns: 2000 },
  );
});

test("assigns as many rows as possible when nothing is said of rows left alone", () => {
  fc.assert(
    fc.property(matrices(true), (matrix) => {
      const { columnOfRow, cost } = solve(matrix);
      const dear = Array.from({ length: matrix.rows }, () => 10_000);
      expect(costWithAlone(matrix, columnOfRow, dear)).toBe(oracleCost(matrix, dear));
      expect(Number.isFinite(cost)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("prices prove the optimum: each row has its cheapest column by cost less price, and free columns are free", () => {
  const problems = matrices(true, fc.double({ min: -50, max: 50, noNaN: true }));
  fc.assert(
    fc.property(problems, (matrix) => {
      const alone = Array.from({ length: matrix.rows }, () => 30);
      const { columnOfRow, columnPrices } = solve(matrix, alone);
      const taken = new Set(columnOfRow);
      columnPrices.forEach((price, column) => {
        expect(price).toBeLessThanOrEqual(1e-9);
        if (!taken.has(column)) expect(price).toBe(0);
      });
      columnOfRow.forEach((chosen, row) => {
        const reduced = (column: number) =>
          (matrix.values[row * matrix.columns + column] ?? Number.NaN) - (columnPrices[column] ?? Number.NaN);
        const own = chosen < 0 ? 30 : reduced(chosen);
        expect(own).toBeLessThanOrEqual(30 + 1e-9);
        for (let column = 0; column < matrix.columns; column++) expect(own).toBeLessThanOrEqual(reduced(column) + 1e-9);
      });
    }),
    { numRuns: 1000 },
  );
});

test("no rows, no columns, and nothing but forbidden pairs leave everybody alone", () => {
  expect([...solve({ rows: 0, columns: 3, values: [] }).columnOfRow]).toEqual([]);
  expect([...solve({ rows: 2, columns: 0, values: [] }).columnOfRow]).toEqual([-1, -1]);
  const forbidden = solve({ rows: 2, columns: 2, values: [Infinity, Infinity, Infinity, Infinity] });
  expect([...forbidden.columnOfRow]).toEqual([-1, -1]);
  expect(forbidden.cost).toBe(0);
});

test("refuses costs that do not fit the size", () => {
  expect(() => solve({ rows: 2, columns: 2, values: [1, 2, 3] })).toThrow("3 costs for 2 rows × 2 columns");
});
