/** Cells as places in their tree, so that everything in a parent cell is one range of keys. */

/** Digits of an H3 index, three bits each, finest last. */
const DIGITS = 15;
const BASE_DIGITS = 3;
const RESOLUTION_AT = 1;
const INDEX_AT = 2;
/** First digit of every index that is a cell. */
const H3_CELL = "8";

/**
 * The cell's base cell and then one octal digit a resolution: a parent's path is the beginning of its children's. What lies in a
 * cell is `[path, path + "8")`, itself included. For text that is no cell: the text.
 */
export function cellPath(cell: string): string {
  // Mode and resolution come first in an index; 52 bits of base cell and digits follow, which a double holds.
  const resolution = Number.parseInt(cell.charAt(RESOLUTION_AT), 16);
  const index = Number.parseInt(cell.slice(INDEX_AT), 16);
  if (cell.length !== DIGITS || Number.isNaN(resolution) || Number.isNaN(index)) return cell;
  return index
    .toString(8)
    .padStart(BASE_DIGITS + DIGITS, "0")
    .slice(0, BASE_DIGITS + resolution);
}

/** The cell with this path, as `cellPath` gives it for a cell. */
export function cellOfPath(path: string): string {
  const index = Number.parseInt(path.padEnd(BASE_DIGITS + DIGITS, "7"), 8);
  return `${H3_CELL}${(path.length - BASE_DIGITS).toString(16)}${index.toString(16).padStart(DIGITS - INDEX_AT, "0")}`;
}
