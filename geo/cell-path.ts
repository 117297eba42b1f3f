/** Cells as places in their tree, so that everything in a parent cell is one range of keys. */

/** Digits of an H3 index, three bits each, finest last. */
const DIGITS = 15;
const BASE_DIGITS = 3;
const RESOLUTION_AT = 1;
const INDEX_AT = 2;

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
