/** State directories that were damaged, against the real databases: refused by name, or an earlier moment, and never a wrong answer. */
import { expect, test } from "vitest";
import type { LogPath, RealKind } from "./damaged-state.ts";
import { runManyCases } from "./run-many-cases.ts";

const paths: readonly LogPath[] = ["embedded", "kafka"];
const kinds: readonly RealKind[] = ["rocksdb", "classic-level"];
/** More of them by `npm run test:full -- --only damage`. */
const SEED = 1;

test("a damaged directory is refused by name, or is what it was at an earlier moment", { timeout: 120_000 }, async () => {
  const jobs = paths.flatMap((path) => kinds.map((kind) => ({ path, kind, seed: SEED })));
  const cases = await runManyCases({ jobs, processes: 2 });
  const wrong = cases.flatMap(({ name, path, kind, seed, did, answer }) =>
    answer.kind === "wrong" ? [`${name} (${did}), ${path}, ${kind}, seed ${seed}: ${answer.what}`] : [],
  );
  expect(wrong).toEqual([]);
  expect(cases.filter(({ answer }) => answer.kind === "refused").length).toBeGreaterThan(30);
  expect(cases.filter(({ answer }) => answer.kind === "earlier").length).toBeGreaterThan(10);
  // Killed, and nothing else: all of it is there.
  expect(cases.filter(({ name }) => name === "none").map(({ answer }) => answer.kind)).toEqual(jobs.map(() => "same"));
});
