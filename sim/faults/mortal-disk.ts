/** The database of a process that may die before or after any write: what was written stays, what comes from the dead does not. */
import type { Disk, DiskBatch } from "#disk";

export interface DiskWatch {
  /** False: the process is dead, or dies there. */
  passes(point: "rows/before" | "rows/after"): boolean;
}

export function mortalDisk(disk: Disk, watch: DiskWatch): Disk {
  return new Proxy(disk, {
    get(target, name) {
      if (name === "write")
        return (batch: DiskBatch, options: { readonly sync: boolean }) => {
          if (!watch.passes("rows/before")) return;
          target.write(batch, options);
          watch.passes("rows/after");
        };
      const value = Reflect.get(target, name) as unknown;
      // Bound to the database, whose private fields a proxy does not have.
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
