import { expect, test } from "vitest";
import { chooseKind } from "./choose-kind.ts";
import { probeFingerprint, probeRocksDb } from "./rocksdb/rocks-probe.ts";

const location = "data";
const broken = async (): Promise<string> => "its process was ended by SIGILL";
const works = async (): Promise<undefined> => undefined;
const never = async (): Promise<string> => {
  throw new Error("probed");
};

test("a new directory gets RocksDB where it runs, and LevelDB with a notice where it does not", async () => {
  expect(await chooseKind({ location, kind: "auto", format: undefined, probe: works })).toMatchObject({
    kind: "rocksdb",
    notice: undefined,
  });
  const choice = await chooseKind({ location, kind: "auto", format: undefined, probe: broken });
  expect(choice.kind).toBe("classic-level");
  expect(choice.notice).toContain("SIGILL");
});

test("what a directory has is not replaced by something else", async () => {
  const rocks = { format: 1, kind: "rocksdb", probe: "another machine" } as const;
  await expect(chooseKind({ location, kind: "auto", format: rocks, probe: broken })).rejects.toMatchObject({ code: "DISK_UNAVAILABLE" });
  await expect(chooseKind({ location, kind: "rocksdb", format: undefined, probe: broken })).rejects.toMatchObject({
    code: "DISK_UNAVAILABLE",
  });
  const level = { format: 1, kind: "classic-level", probe: "" } as const;
  expect(await chooseKind({ location, kind: "auto", format: level, probe: never })).toMatchObject({
    kind: "classic-level",
    notice: undefined,
  });
  await expect(chooseKind({ location, kind: "rocksdb", format: level, probe: never })).rejects.toMatchObject({
    code: "DISK_FORMAT_UNKNOWN",
  });
});

test("a directory in which RocksDB worked on this machine is not probed again", async () => {
  const format = { format: 1, kind: "rocksdb", probe: probeFingerprint() } as const;
  expect((await chooseKind({ location, kind: "auto", format, probe: never })).kind).toBe("rocksdb");
});

test("the probe runs RocksDB in a process of its own", async () => {
  expect(await probeRocksDb()).toBeUndefined();
});
