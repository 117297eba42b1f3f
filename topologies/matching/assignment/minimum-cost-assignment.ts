/**
 * Rectangular minimum-cost assignment with forbidden pairs and a price for leaving a row alone, after Jonker and Volgenant:
 * augmenting row reduction, then shortest augmenting paths over column prices. Typed arrays, no allocation per augmentation.
 */

export interface AssignmentProblem {
  readonly rows: number;
  readonly columns: number;
  /** Row by row, `rows × columns`; `Infinity` forbids the pair. Never NaN or −Infinity. */
  readonly costs: Float64Array;
  /** What it costs to leave a row without a column, finite. Without it as many rows as possible are assigned. */
  readonly unassignedCosts?: Float64Array;
}

export interface Assignment {
  /** Column of each row, −1 for none. */
  readonly columnOfRow: Int32Array;
  /** Sum of the chosen pairs, without the price of rows left alone. */
  readonly cost: number;
  /** ≤ 0 each: how much more the whole would cost without this column (its scarcity). 0 for a column nobody has. */
  readonly columnPrices: Float64Array;
}

const NONE = -1;
/** Reduction passes before shortest paths; more do not pay. */
const REDUCTION_PASSES = 2;

/**
 * The cheapest assignment: each row at most one column, each column at most one row. Deterministic: depends on the arguments
 * alone. O(rows² × columns) at worst, close to O(rows × columns) where rows rarely compete. Throws RangeError for costs of
 * another size than `rows × columns`.
 */
export function assignAtMinimumCost(problem: AssignmentProblem): Assignment {
  const { rows, columns, costs } = problem;
  if (costs.length < rows * columns) throw new RangeError(`${costs.length} costs for ${rows} rows × ${columns} columns: give one each`);
  const alone = problem.unassignedCosts ?? dearerThanAnything(rows, costs);
  if (alone.length < rows) throw new RangeError(`${alone.length} unassigned costs for ${rows} rows: give one each`);
  const search = new Search(rows, columns, costs, alone);
  search.reduce();
  search.augment();
  let cost = 0;
  for (let row = 0; row < rows; row++) {
    const column = search.columnOfRow[row]!;
    if (column !== NONE) cost += costs[row * columns + column]!;
  }
  return { columnOfRow: search.columnOfRow, cost, columnPrices: search.prices };
}

/** So dear that one more row assigned always pays, whatever moves for it. */
function dearerThanAnything(rows: number, costs: Float64Array): Float64Array {
  let low = 0;
  let high = 0;
  for (const cost of costs) {
    if (cost === Infinity) continue;
    if (cost < low) low = cost;
    if (cost > high) high = cost;
  }
  return new Float64Array(rows).fill((high - low + 1) * (rows + 1));
}

/**
 * Invariants between steps: prices ≤ 0; a column once taken stays taken; a free column's price is 0; each assigned row has
 * its cheapest column by cost − price, its own way out (being left alone) included. Then the assignment is optimal for the
 * rows done so far.
 */
class Search {
  readonly columnOfRow: Int32Array;
  readonly prices: Float64Array;
  readonly #rows: number;
  readonly #columns: number;
  readonly #costs: Float64Array;
  readonly #alone: Float64Array;
  readonly #rowOfColumn: Int32Array;
  /** Rows not done yet. */
  readonly #open: Int32Array;
  #openCount = 0;
  /** Of one shortest path search: columns in the order done, reached with least distance, others. */
  readonly #order: Int32Array;
  readonly #distance: Float64Array;
  readonly #previousRow: Int32Array;

  constructor(rows: number, columns: number, costs: Float64Array, alone: Float64Array) {
    this.#rows = rows;
    this.#columns = columns;
    this.#costs = costs;
    this.#alone = alone;
    this.columnOfRow = new Int32Array(rows).fill(NONE);
    this.prices = new Float64Array(columns);
    this.#rowOfColumn = new Int32Array(columns).fill(NONE);
    this.#open = new Int32Array(rows);
    this.#order = new Int32Array(columns);
    this.#distance = new Float64Array(columns);
    this.#previousRow = new Int32Array(columns);
  }

  /** Lets rows bid for their cheapest column up to the difference to the second: settles most rows in one or two looks. */
  reduce(): void {
    const open = this.#open;
    for (let row = 0; row < this.#rows; row++) open[row] = row;
    this.#openCount = this.#rows;
    for (let pass = 0; pass < REDUCTION_PASSES; pass++) {
      const before = this.#openCount;
      // A bid may be as small as rounding allows, so the number of looks is bounded.
      let looksLeft = 4 * before;
      let next = 0;
      let kept = 0;
      while (next < before) {
        const loser = this.#bid(open[next++]!, looksLeft-- > 0);
        if (loser === NONE) continue;
        if (loser >= 0) open[--next] = loser;
        else open[kept++] = -loser - 2;
      }
      this.#openCount = kept;
    }
  }

  /** The row that must look on: at once (as it is) or in the next pass (as −2 − row); NONE: nobody. */
  #bid(row: number, mayPushOn: boolean): number {
    const columns = this.#columns;
    const costs = this.#costs;
    const prices = this.prices;
    const base = row * columns;
    let least = this.#alone[row]!;
    let second = Infinity;
    let best = NONE;
    let secondBest = NONE;
    for (let column = 0; column < columns; column++) {
      const reduced = costs[base + column]! - prices[column]!;
      if (reduced >= second) continue;
      // On a tie a column is better than being left alone.
      if (reduced < least || (best === NONE && reduced === least)) {
        second = least;
        secondBest = best;
        least = reduced;
        best = column;
      } else {
        second = reduced;
        secondBest = column;
      }
    }
    if (best === NONE) return NONE;
    const raises = second > least;
    if (!raises && this.#rowOfColumn[best] !== NONE && secondBest !== NONE) best = secondBest;
    const loser = this.#rowOfColumn[best]!;
    if (loser !== NONE && !raises && secondBest === NONE) return -2 - row;
    if (raises && second !== Infinity) prices[best] = prices[best]! - (second - least);
    this.columnOfRow[row] = best;
    this.#rowOfColumn[best] = row;
    if (loser === NONE) return NONE;
    this.columnOfRow[loser] = NONE;
    return raises && mayPushOn ? loser : -2 - loser;
  }

  /** One shortest path for each row left: to a free column, or to the cheapest row on the way to be left alone. */
  augment(): void {
    for (let i = 0; i < this.#openCount; i++) this.#augmentFrom(this.#open[i]!);
  }

  #augmentFrom(start: number): void {
    const columns = this.#columns;
    const order = this.#order;
    const distance = this.#distance;
    const prices = this.prices;
    const base = start * columns;
    for (let column = 0; column < columns; column++) {
      distance[column] = this.#costs[base + column]! - prices[column]!;
      order[column] = column;
    }
    this.#previousRow.fill(start);
    let aloneRow = start;
    let aloneAt = this.#alone[start]!;
    /** order[0, done): looked behind; [done, reached): at `least`, to look behind; [reached, columns): further. */
    let done = 0;
    let reached = 0;
    let settled = 0;
    let least = 0;
    let end = NONE;
    while (end === NONE) {
      if (done === reached) {
        settled = done;
        least = this.#nearest(reached);
        if (!(least <= aloneAt) || least === Infinity) break;
        reached = this.#gather(reached, least);
        end = this.#freeAmong(done, reached);
        if (end !== NONE) break;
      }
      const column = order[done++]!;
      const row = this.#rowOfColumn[column]!;
      const offset = this.#costs[row * columns + column]! - prices[column]! - least;
      const alone = this.#alone[row]! - offset;
      if (alone < aloneAt) {
        aloneAt = alone;
        aloneRow = row;
      }
      reached = this.#relax(row, offset, least, reached);
      end = this.#freeAmong(done, reached);
    }
    const length = end === NONE ? aloneAt : least;
    // Columns looked behind at less than the path's length become dearer by the difference.
    const dearer = end === NONE ? done : settled;
    for (let i = 0; i < dearer; i++) {
      const column = order[i]!;
      prices[column] = prices[column]! + distance[column]! - length;
    }
    this.#shift(start, end, aloneRow);
  }

  #nearest(from: number): number {
    const order = this.#order;
    const distance = this.#distance;
    let least = Infinity;
    for (let i = from; i < this.#columns; i++) {
      const reach = distance[order[i]!]!;
      if (reach < least) least = reach;
    }
    return least;
  }

  /** Brings all columns at exactly `least` to the front of those from `reached` on. */
  #gather(reached: number, least: number): number {
    const order = this.#order;
    const distance = this.#distance;
    let front = reached;
    for (let i = reached; i < this.#columns; i++) {
      const column = order[i]!;
      if (distance[column]! > least) continue;
      order[i] = order[front]!;
      order[front++] = column;
    }
    return front;
  }

  #relax(row: number, offset: number, least: number, reached: number): number {
    const order = this.#order;
    const distance = this.#distance;
    const previousRow = this.#previousRow;
    const prices = this.prices;
    const costs = this.#costs;
    const columns = this.#columns;
    const base = row * columns;
    let front = reached;
    for (let i = reached; i < columns; i++) {
      const column = order[i]!;
      const reach = costs[base + column]! - prices[column]! - offset;
      if (reach >= distance[column]!) continue;
      previousRow[column] = row;
      // Never below `least`, except by rounding.
      distance[column] = reach < least ? least : reach;
      if (reach > least) continue;
      order[i] = order[front]!;
      order[front++] = column;
    }
    return front;
  }

  #freeAmong(from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const column = this.#order[i]!;
      if (this.#rowOfColumn[column] === NONE) return column;
    }
    return NONE;
  }

  /** Moves each row on the path one column on. */
  #shift(start: number, end: number, aloneRow: number): void {
    let column = end;
    if (column === NONE) {
      column = this.columnOfRow[aloneRow]!;
      this.columnOfRow[aloneRow] = NONE;
      if (aloneRow === start) return;
    }
    for (;;) {
      const row = this.#previousRow[column]!;
      const before = this.columnOfRow[row]!;
      this.#rowOfColumn[column] = row;
      this.columnOfRow[row] = column;
      if (row === start) return;
      column = before;
    }
  }
}
