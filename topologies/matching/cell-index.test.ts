import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { memoryRegistry } from "#schemas";
import { diskRowStore, openTaskState } from "#state";
import { nearbySample, openedSample, presentSample } from "../testing/samples.ts";
import { CellIndex } from "./cell-index.ts";
import { decideCell } from "./cell-table.ts";
import type { CellInput } from "./cell-table.ts";
import { matchingStores } from "./matching-stores.ts";

const cells = ["c0", "c1", "c2"];
const { drivers, presence, queue, nearby, clock, memories } = matchingStores(memoryRegistry());

const opened = () => {
  const descriptors = [drivers, presence, queue, nearby, clock, memories];
  const storeIds = new Map(descriptors.map(({ name }, i) => [name, i + 9]));
  const state = openTaskState({ rows: diskRowStore(memoryDisk()), partition: 0, descriptors, storeIds });
  const stores = {
    drivers: state.store(drivers),
    presence: state.store(presence),
    queue: state.store(queue),
    nearby: state.store(nearby),
    clock: state.store(clock),
    memories: state.store(memories),
  };
  return { stores, index: new CellIndex(stores) };
};

test("keeps what is present and open in each cell, in memory as in the rows, and nothing of what left", () => {
  const step = fc.record({
    cell: fc.constantFrom(...cells),
    who: fc.nat(3),
    kind: fc.constantFrom("here", "gone", "opened", "near", "closed"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { stores, index } = opened();
      const present = new Set<string>();
      const open = new Set<string>();
      const near = new Set<string>();
      const take = (input: Exclude<CellInput, { type: "CellTick" }>): void => {
        index.begin();
        index.apply(input.cell, decideCell(index.cell(input.cell), input));
      };
      const leave = (cell: string, who: number): void => take(presentSample({ cell, driverId: `d${who}`, present: false }));
      const close = (cell: string, who: number): void => take({ type: "JobClosed", cell, at: 0, jobId: `j${who}`, attempt: 1 });
      for (const { cell, who, kind } of steps) {
        const driver = `${cell}/d${who}`;
        const job = `${cell}/j${who}`;
        if (kind === "here") take(presentSample({ cell, driverId: `d${who}` }));
        else if (kind === "gone") leave(cell, who);
        else if (kind === "opened") {
          // What is open here is not known of from elsewhere: it was closed before.
          if (near.has(job)) continue;
          take(openedSample({ cell, jobId: `j${who}` }));
        } else if (kind === "near") {
          if (open.has(job)) continue;
          take(nearbySample({ cell, jobId: `j${who}` }));
          near.add(job);
        } else close(cell, who);
        if (kind === "here") present.add(driver);
        if (kind === "gone") present.delete(driver);
        if (kind === "opened") open.add(job);
        if (kind !== "closed") continue;
        open.delete(job);
        near.delete(job);
      }
      const names = (of: "drivers" | "jobs" | "nearby"): string[] =>
        cells.flatMap((name) => [...index.cell(name)[of].keys()].map((id) => `${name}/${id}`));
      expect(names("drivers").sort()).toEqual([...present].sort());
      expect(names("jobs").sort()).toEqual([...open].sort());
      expect(names("nearby").sort()).toEqual([...near].sort());
      expect([...stores.nearby.range()].map(([id]) => id)).toEqual([...near].sort());
      expect([...stores.drivers.range()].map(([id]) => id)).toEqual([...present].sort());
      expect([...stores.queue.entries()].map(({ id }) => id).sort()).toEqual([...open].sort());
      const listed = [...stores.presence.range()].map(([key]) => key.split("/"));
      expect(listed.map(([, driver, cell]) => `${cell}/${driver}`).sort()).toEqual([...present].sort());
      for (const cell of cells) for (const who of [0, 1, 2, 3]) leave(cell, who);
      for (const cell of cells) for (const who of [0, 1, 2, 3]) close(cell, who);
      expect([...stores.drivers.range(), ...stores.presence.range(), ...stores.nearby.range(), ...stores.queue.entries()]).toEqual([]);
      // A cell with nobody in it is made anew for each question: none is kept.
      for (const cell of cells) expect(index.cell(cell)).not.toBe(index.cell(cell));
    }),
    { numRuns: 100 },
  );
});
