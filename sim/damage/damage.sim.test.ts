/** State directories that were damaged, against the real databases: refused by name, or an earlier moment, and never a wrong answer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DamagedState } from "./damaged-state.ts";
import { openSmall } from "./image.ts";
import { runManyCases, type SeedCases } from "./run-many-cases.ts";

/** What LevelDB itself would not notice, and nothing. */
const unnoticedByLevel = ["none", "wal-flipped", "table-flipped", "manifest-torn"];
/** Of one that is tampered with. */
const TAMPERED = 9;
/** More of them by `npm run test:full -- --only damage`. */
const SEED = 1;

test("a damaged directory is refused by name, or is what it was at an earlier moment", { timeout: 120_000 }, async () => {
  const jobs: readonly SeedCases[] = [
    { path: "embedded", kind: "rocksdb", seed: SEED },
    { path: "kafka", kind: "rocksdb", seed: SEED },
    { path: "embedded", kind: "classic-level", seed: SEED, only: unnoticedByLevel },
  ];
  const cases = await runManyCases({ jobs, processes: 2 });
  const wrong = cases.flatMap(({ name, path, kind, seed, did, answer }) =>
    answer.kind === "wrong" ? [`${name} (${did}), ${path}, ${kind}, seed ${seed}: ${answer.what}`] : [],
  );
  expect(wrong).toEqual([]);
  expect(cases.filter(({ answer }) => answer.kind === "refused").length).toBeGreaterThan(30);
  expect(cases.filter(({ answer }) => answer.kind === "earlier").length).toBeGreaterThan(8);
  // Killed, and nothing else: all of it is there.
  expect(cases.filter(({ name }) => name === "none").map(({ answer }) => answer.kind)).toEqual(jobs.map(() => "same"));
});

test("a database that opens and holds one other byte than it ever held is a wrong answer", { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "slackline-tampered-"));
  try {
    const state = await DamagedState.make({ path: "embedded", kind: "rocksdb", seed: TAMPERED, directory: join(directory, "state") });
    const location = join(directory, "tampered");
    state.copyTo(location);
    {
      await using disk = await openSmall(location, "rocksdb");
      const [[key, value] = []] = [...disk.entries("rows", { limit: 1, reverse: true })];
      const batch = disk.batch();
      batch.put("rows", key ?? Buffer.from("none"), Buffer.concat([value ?? Buffer.alloc(0), Buffer.from("!")]));
      disk.write(batch, { sync: true });
    }
    expect(await state.answerTo(location)).toMatchObject({ kind: "wrong", what: expect.stringContaining("never held") });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
