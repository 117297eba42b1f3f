/** A damaged database that can be made anew. */
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDisk, type OwnedDisk } from "./open-disk.ts";
import { markDamaged } from "./set-aside.ts";

const KEY = Buffer.from("key");
let location: string;
beforeEach(async () => {
  location = await mkdtemp(join(tmpdir(), "slackline-aside-"));
});
afterEach(() => rm(location, { recursive: true, force: true }));

function put(disk: OwnedDisk, value: string): void {
  const batch = disk.batch();
  batch.put("rows", KEY, Buffer.from(value));
  disk.write(batch, { sync: true });
}

async function emptyManifest(): Promise<void> {
  const files = join(location, "database");
  const manifest = (await readdir(files)).find((file) => file.startsWith("MANIFEST"));
  await truncate(join(files, manifest ?? ""), 0);
}

describe.each(["rocksdb", "classic-level"] as const)("a damaged %s database", (kind) => {
  const aside = { kind, onDamage: "set-aside" } as const;

  async function written(value: string): Promise<void> {
    await using disk = await openDisk({ location, kind });
    put(disk, value);
  }

  test("is set aside whole, says why and where, and an empty one takes its place; the next opening finds nothing wrong", async () => {
    await written("old");
    await emptyManifest();
    const damaged = (await readdir(join(location, "database"))).filter((file) => file !== "LOCK");
    const disk = await openDisk({ location, ...aside });
    expect(disk.damage).toEqual({ reason: expect.stringContaining(location), keptAt: join(location, "database.damaged") });
    expect(await readdir(join(location, "database.damaged"))).toEqual(expect.arrayContaining(damaged));
    expect(disk.get("rows", KEY)).toBeUndefined();
    put(disk, "new");
    await disk.close();
    await using again = await openDisk({ location, ...aside });
    expect(again.damage).toBeUndefined();
    expect(again.get("rows", KEY)?.toString()).toBe("new");
  });

  test("is refused by who has not said that it can be made anew", async () => {
    await written("old");
    await emptyManifest();
    await expect(openDisk({ location, kind })).rejects.toMatchObject({ code: "DISK_CORRUPT" });
    expect(await readdir(location)).not.toContain("database.damaged");
  });

  test("only the newest damage is kept", async () => {
    for (const value of ["one", "two"]) {
      await written(value);
      await writeFile(join(location, "database", `of ${value}`), "");
      await emptyManifest();
      await (await openDisk({ location, ...aside })).close();
    }
    const kept = await readdir(join(location, "database.damaged"));
    expect(kept).toContain("of two");
    expect(kept).not.toContain("of one");
  });

  test("what was found in use is remembered, and set aside by the next opening, once", async () => {
    await written("old");
    markDamaged(location, "a table cannot be read");
    const disk = await openDisk({ location, ...aside });
    expect(disk.damage).toMatchObject({ reason: "a table cannot be read" });
    expect(disk.get("rows", KEY)).toBeUndefined();
    await disk.close();
    await using again = await openDisk({ location, ...aside });
    expect(again.damage).toBeUndefined();
  });

  test("what somebody has open is not touched, whatever was found in it", async () => {
    await using disk = await openDisk({ location, kind });
    put(disk, "old");
    markDamaged(location, "a table cannot be read");
    await expect(openDisk({ location, ...aside })).rejects.toMatchObject({ code: "DISK_LOCKED" });
    expect(disk.get("rows", KEY)?.toString()).toBe("old");
    expect(await readdir(location)).not.toContain("database.damaged");
  });

  test("a format that is not known is refused: another version may read it", async () => {
    await written("old");
    await writeFile(join(location, "disk.format"), `{"format":2,"kind":"${kind}"}`);
    await expect(openDisk({ location, ...aside })).rejects.toMatchObject({ code: "DISK_FORMAT_UNKNOWN" });
  });
});
