/** Rows that turn out to be damaged while they are in use, beside a log that can make them anew. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskError, openDisk, type OwnedDisk } from "#disk";
import type { MembershipOptions } from "#log";
import { MemoryCluster } from "../changelog/testing/memory-cluster.ts";
import { memoryLog } from "../changelog/testing/memory-log.ts";
import { Application } from "./application.ts";
import { benchOf, countingTopology, produce, words } from "./fixtures/counting.ts";

let location: string;
beforeEach(() => {
  location = mkdtempSync(join(tmpdir(), "slackline-damaged-"));
});
afterEach(() => rmSync(location, { recursive: true, force: true }));

/** From when it is told, no row can be read. */
function breaking(disk: OwnedDisk): { readonly disk: OwnedDisk; break(): void } {
  const get = disk.get.bind(disk);
  let broken = false;
  return {
    disk: Object.assign(disk, {
      get: (...at: Parameters<typeof get>) => {
        if (broken) throw new DiskError("DISK_CORRUPT", "a table cannot be read", { location });
        return get(...at);
      },
    }),
    break: () => {
      broken = true;
    },
  };
}

test("the instance stops whatever its host would do, and its next start sets the rows aside", async () => {
  const { log: groups, topology } = await benchOf(countingTopology());
  const log = { ...memoryLog(new MemoryCluster()), membership: (options: MembershipOptions) => groups.membership(options) };
  const { disk, ...rows } = breaking(await openDisk({ location, kind: "classic-level", onDamage: "set-aside" }));
  const asked: Error[] = [];
  const application = new Application({
    topology,
    applicationId: "app",
    log,
    disk,
    onThreadFailure: (error) => {
      asked.push(error);
      return "replace";
    },
  });
  await application.start();
  rows.break();
  await produce(log, words, [["a", "x"]]);
  await application.ended;
  expect(application.error).toMatchObject({ code: "DISK_CORRUPT" });
  expect(asked).toEqual([]);
  await disk.close();
  await using again = await openDisk({ location, onDamage: "set-aside" });
  expect(again.damage).toMatchObject({ reason: "a table cannot be read" });
});

test("a folder that is the log itself is never marked: it goes on refusing", async () => {
  const { log, topology } = await benchOf(countingTopology());
  const { disk, ...rows } = breaking(await openDisk({ location, kind: "classic-level" }));
  const application = new Application({ topology, applicationId: "app", log, disk });
  await application.start();
  rows.break();
  await produce(log, words, [["a", "x"]]);
  await application.ended;
  expect(application.error).toMatchObject({ code: "DISK_CORRUPT" });
  await disk.close();
  await using again = await openDisk({ location, onDamage: "set-aside" });
  expect(again.damage).toBeUndefined();
});
