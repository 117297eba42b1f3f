/** One database, many threads: attaching, detaching, dying, and the owner that waits for all of them. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DiskShare } from "./disk.ts";
import type { AttachedWorkerData, AttachedWorkerReport } from "./fixtures/attached-worker.ts";
import { attachDisk, openDisk, type OpenDiskOptions, type OwnedDisk } from "./open-disk.ts";
import { SharedUsers, USERS_MAX } from "./shared-users.ts";

function shareOf(disk: OwnedDisk): DiskShare {
  const share = disk.share();
  if (share === undefined) throw new Error("this kind is not shared");
  return share;
}

function startWorker(disk: OwnedDisk, options: Omit<AttachedWorkerData, "share">): Worker {
  const workerData: AttachedWorkerData = { share: shareOf(disk), ...options };
  return new Worker(new URL("./fixtures/attached-worker.ts", import.meta.url), { workerData });
}

describe.each(["rocksdb", "classic-level"] as const)("a shared %s database", (kind) => {
  let location: string;
  let disk: OwnedDisk;
  const open = (options: Partial<OpenDiskOptions> = {}): Promise<OwnedDisk> => openDisk({ location, kind, ...options });

  beforeEach(async () => {
    location = await mkdtemp(join(tmpdir(), "slackline-sharing-"));
    disk = await open();
  });
  afterEach(async () => {
    await disk.close();
    await rm(location, { recursive: true, force: true });
  });

  test("is read and written by several workers at once, which see each other's rows", async () => {
    const batch = disk.batch();
    batch.put("rows", Buffer.from("parent"), Buffer.from("hello"));
    disk.write(batch, { sync: false });
    const count = kind === "rocksdb" ? 2_000 : 150;
    const workers = ["one", "two", "three"].map((name) => startWorker(disk, { name, task: "rows", count }));
    const reports = (await Promise.all(workers.map((worker) => once(worker, "message")))) as [AttachedWorkerReport][];
    for (const [report] of reports) expect(report).toEqual({ parentRow: "hello", ownRows: count });
    expect([...disk.entries("rows", {})]).toHaveLength(1 + 3 * count);
  });

  test("closes only when the last attached worker has detached", async () => {
    const worker = startWorker(disk, { name: "waiting", task: "wait", count: 0 });
    const exited = once(worker, "exit");
    await once(worker, "message");
    let closed = false;
    const closing = disk.close().then(() => {
      closed = true;
    });
    await sleep(60);
    expect(closed).toBe(false);
    expect(() => attachDisk(shareAfterClose)).toThrow(expect.objectContaining({ code: "DISK_CLOSED" }));
    worker.postMessage("go");
    await closing;
    await exited;
    disk = await open();
    // What the worker wrote while the owner was waiting is there.
    expect(disk.get("log", Buffer.from("waiting/last"))?.toString()).toBe("0");
  });

  let shareAfterClose: DiskShare;
  beforeEach(() => {
    shareAfterClose = shareOf(disk);
  });

  test("refuses to attach and every call of an attached view once it is closed", async () => {
    const attached = attachDisk(shareOf(disk));
    await attached.close();
    expect(() => attached.get("rows", Buffer.from("a"))).toThrow(expect.objectContaining({ code: "DISK_CLOSED" }));
    const left = attachDisk(shareOf(disk));
    disk.release(0); // as if its thread had gone
    await disk.close();
    expect(() => left.get("rows", Buffer.from("a"))).toThrow(expect.objectContaining({ code: "DISK_CLOSED" }));
    expect(() => attachDisk(shareAfterClose)).toThrow(expect.objectContaining({ code: "DISK_CLOSED" }));
  });

  test("survives workers that are terminated in the middle of a write, and closes after them", async () => {
    for (let round = 0; round < 4; round++) {
      const worker = startWorker(disk, { name: `forever${round}`, task: "forever", count: 0 });
      await once(worker, "message");
      await sleep(15 + round * 10);
      await worker.terminate();
      const last = disk.get("log", Buffer.from(`forever${round}/last`));
      const from = Buffer.from(`forever${round}/`);
      const rows = [...disk.entries("rows", { from, to: Buffer.from(`forever${round}0`) })];
      expect(rows).toHaveLength(last === undefined ? 0 : Number(last.toString()) + 1);
    }
    await disk.close();
    disk = await open();
    expect([...disk.entries("rows", {})].length).toBeGreaterThan(0);
  });

  test("closes after a worker that was terminated with iterations open", async () => {
    const worker = startWorker(disk, { name: "abandoning", task: "abandon", count: 100 });
    await once(worker, "message");
    await worker.terminate();
    expect([...disk.entries("rows", {})]).toHaveLength(100);
    await disk.close();
    disk = await open();
    expect([...disk.entries("rows", {})]).toHaveLength(100);
  });

  test("gives up closing when a worker does not go, names it, and goes on", async () => {
    await disk.close();
    disk = await open({ closeWaitMsMax: 30 });
    const attached = attachDisk(shareOf(disk));
    await expect(disk.close()).rejects.toMatchObject({ code: "DISK_FAILED", message: expect.stringContaining("threads 0 are attached") });
    expect(attached.get("rows", Buffer.from("a"))).toBeUndefined();
    expect(disk.get("rows", Buffer.from("a"))).toBeUndefined();
    await attached.close();
  });
});

test("slots are taken once, given back once, and released by thread", () => {
  const users = new SharedUsers();
  const slots = Array.from({ length: USERS_MAX }, (_, index) => users.attach(index % 2));
  expect(new Set(slots).size).toBe(USERS_MAX);
  expect(users.attach(7)).toBe("full");
  users.release(1);
  expect(new Set(users.users())).toEqual(new Set([0]));
  users.detach(0, 1); // not its slot
  expect(users.users()).toHaveLength(USERS_MAX / 2);
  users.startClosing();
  expect(users.attach(7)).toBeUndefined();
  expect(users.closed).toBe(false);
  users.reopen();
  expect(users.attach(7)).toEqual(expect.any(Number));
  users.setClosed();
  users.reopen();
  expect(users.closed).toBe(true);
});
