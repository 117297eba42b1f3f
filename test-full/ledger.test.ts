import { mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLedger, type Entry } from "./ledger.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slackline-ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const entry = (item: string, ok: boolean, seconds = 1): Entry => ({ proof: "p", item, ok, seconds, facts: {} });

test("what was proved is found again after a restart; what failed is to be done again, also after an older success", () => {
  const file = join(folder, "deep", "ledger.jsonl");
  const first = openLedger(file);
  for (const made of [entry("a", true), entry("b", false), entry("c", true), entry("c", false)]) first.add(made);
  const second = openLedger(file);
  expect(second.find("p", "a")).toEqual(entry("a", true));
  for (const item of ["b", "c", "never"]) expect(second.find("p", item)).toBeUndefined();
  expect(second.find("other", "a")).toBeUndefined();
  second.add(entry("b", true, 9));
  expect(openLedger(file).entries("p")).toEqual([entry("a", true), entry("b", true, 9), entry("c", false)]);
});

test("a last line that was cut by a kill is forgotten", () => {
  const file = join(folder, "ledger.jsonl");
  openLedger(file).add(entry("a", true));
  writeFileSync(file, `${readFileSync(file, "utf8")}{"proof":"p","item":"b","o`);
  const ledger = openLedger(file);
  expect(ledger.entries("p")).toEqual([entry("a", true)]);
  ledger.add(entry("c", true));
  expect(openLedger(file).entries("p")).toEqual([entry("a", true), entry("c", true)]);
});
