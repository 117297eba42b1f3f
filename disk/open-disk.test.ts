/** Directories: who has them, what they hold, what is wrong with them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toDiskError } from "./native-error.ts";
import { openDisk, type OwnedDisk } from "./open-disk.ts";

let location: string;
beforeEach(async () => {
  location = join(await mkdtemp(join(tmpdir(), "slackline-open-")), "new", "directory");
});
afterEach(async () => {
  await rm(join(location, "..", ".."), { recursive: true, force: true });
});

function putSome(disk: OwnedDisk, count: number): void {
  const batch = disk.batch();
  for (let index = 0; index < count; index++) batch.put("rows", Buffer.from(`key${index}`), Buffer.alloc(200, index));
  disk.write(batch, { sync: true });
}

describe.each(["rocksdb", "classic-level"] as const)("the directory of a %s database", (kind) => {
  test("is made with its parents, readable by its owner only, and names the process that has it", async () => {
    const disk = await openDisk({ location, kind });
    expect((await stat(location)).mode & 0o077).toBe(0);
    expect((await stat(join(location, "database"))).mode & 0o077).toBe(0);
    expect((await readFile(join(location, "disk.pid"), "utf8")).trim()).toBe(String(process.pid));
    await disk.close();
    expect(await readdir(location)).toEqual(["database", "disk.format"]);
  });

  test("is locked while it is open", async () => {
    const disk = await openDisk({ location, kind });
    await expect(openDisk({ location })).rejects.toMatchObject({
      code: "DISK_LOCKED",
      message: expect.stringContaining("this process itself"),
    });
    disk.get("rows", Buffer.from("still there"));
    await disk.close();
    await (await openDisk({ location })).close();
  });

  test("is not opened as another kind", async () => {
    await (await openDisk({ location, kind })).close();
    const other = kind === "rocksdb" ? "classic-level" : "rocksdb";
    await expect(openDisk({ location, kind: other })).rejects.toMatchObject({ code: "DISK_FORMAT_UNKNOWN" });
  });

  test("of a newer format, or of none that can be read, is refused", async () => {
    await (await openDisk({ location, kind })).close();
    for (const text of ['{"format":2,"kind":"rocksdb"}', "garbage", "null"]) {
      await writeFile(join(location, "disk.format"), text);
      await expect(openDisk({ location })).rejects.toMatchObject({ code: "DISK_FORMAT_UNKNOWN" });
    }
  });

  test.each(["CURRENT", "MANIFEST", "everything"])("that has lost its %s is corrupt, and not begun anew", async (lost) => {
    const disk = await openDisk({ location, kind });
    putSome(disk, 1_000);
    await disk.close();
    const files = join(location, "database");
    for (const file of await readdir(files)) {
      if (lost === "MANIFEST" && file.startsWith("MANIFEST")) await truncate(join(files, file), 0);
      if (lost === "everything" || file === lost) await rm(join(files, file));
    }
    await expect(openDisk({ location })).rejects.toMatchObject({ code: "DISK_CORRUPT" });
  });
});

test("a directory that cannot be made says so with its remedy", async () => {
  await writeFile(join(location, "..", "..", "file"), "");
  await expect(openDisk({ location: join(location, "..", "..", "file", "below") })).rejects.toMatchObject({ code: "DISK_FAILED" });
});

test("what bindings throw becomes the condition that it is", () => {
  const wrapped = new Error("Database failed to open", { cause: Object.assign(new Error("IO error: lock /x"), { code: "LEVEL_LOCKED" }) });
  expect(toDiskError(wrapped, "/d").code).toBe("DISK_LOCKED");
  expect(
    toDiskError(Object.assign(new Error("IO error: No space left on device: While appending"), { code: "LEVEL_IO_ERROR" }), "/d").code,
  ).toBe("DISK_FULL");
  expect(toDiskError(Object.assign(new Error("Corruption: bad block"), { code: "LEVEL_CORRUPTION" }), "/d").code).toBe("DISK_CORRUPT");
  expect(toDiskError(new Error("EACCES: permission denied"), "/d").message).toContain("Make the directory writable.");
  expect(toDiskError("odd", "/d").code).toBe("DISK_FAILED");
});

const volumeCommands = { mount: "mount", unmount: "umount" };

/** A volume of 8 MiB, where this process may mount one. */
function smallVolume(): { readonly path: string; unmount(): void } | undefined {
  const path = mkdtempSync(join(tmpdir(), "slackline-full-"));
  try {
    execFileSync(volumeCommands.mount, ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return { path, unmount: () => execFileSync(volumeCommands.unmount, [path]) };
}

test.for(["rocksdb", "classic-level"] as const)(
  "a full volume under %s says DISK_FULL, and everything acknowledged is there after reopening",
  async (kind, { skip }) => {
    const volume = smallVolume();
    if (volume === undefined) {
      skip("no volume can be mounted here");
      return;
    }
    try {
      await writeFile(join(volume.path, "ballast"), Buffer.alloc(2 * 1024 * 1024));
      const disk = await openDisk({ location: join(volume.path, "data"), kind });
      let acknowledged = -1;
      expect(() => {
        for (let count = 0; count < 10_000; count++) {
          const batch = disk.batch();
          batch.put("rows", Buffer.from(`row/${String(count).padStart(6, "0")}`), Buffer.alloc(10_000, count % 251));
          batch.put("log", Buffer.from("count"), Buffer.from(String(count)));
          disk.write(batch, { sync: false });
          acknowledged = count;
        }
      }).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
      expect(disk.freeBytes()).toBeLessThan(1024 * 1024);
      await disk.close();
      await rm(join(volume.path, "ballast"));
      await using again = await openDisk({ location: join(volume.path, "data") });
      const count = Number(again.get("log", Buffer.from("count"))?.toString());
      expect(count).toBeGreaterThanOrEqual(acknowledged);
      expect([...again.entries("rows", {})]).toHaveLength(count + 1);
      putSome(again, 10);
    } finally {
      volume.unmount();
      await rm(volume.path, { recursive: true, force: true });
    }
  },
);
