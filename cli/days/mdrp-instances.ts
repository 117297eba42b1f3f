import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../errors.ts";

const isInstance = (folder: string): boolean => existsSync(join(folder, "orders.txt")) && existsSync(join(folder, "couriers.txt"));

/** Folders of instances in or under `data` (also in its folder `mdrp`), by name. Throws CliError `USAGE` when there are none. */
export function mdrpInstances(data: string): readonly string[] {
  if (isInstance(data)) return [data];
  for (const folder of [data, join(data, "mdrp")]) {
    if (!existsSync(folder)) continue;
    const found = readdirSync(folder)
      .sort()
      .map((name) => join(folder, name))
      .filter(isInstance);
    if (found.length > 0) return found;
  }
  throw new CliError("USAGE", `there is no MDRP instance in ${data}; name the folder that holds the folders of the instances`);
}
