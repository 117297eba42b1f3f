import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Of everything in a folder; files come and go meanwhile. */
export function diskBytes(directory: string): number {
  let sum = 0;
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) sum += diskBytes(path);
    else sum += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  }
  return sum;
}

function entriesOf(directory: string): ReturnType<typeof list> {
  try {
    return list(directory);
  } catch {
    return [];
  }
}

const list = (directory: string) => readdirSync(directory, { withFileTypes: true });
