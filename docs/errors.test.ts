/** `docs/errors.md` and the code agree: every stable code is documented, and nothing else is. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

function codesInSource(): Set<string> {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*errors.ts"], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
  const codes = new Set<string>();
  for (const file of files) {
    const unions = readFileSync(file, "utf8").matchAll(/export type \w*Code\s*=([^;]+);/g);
    for (const union of unions) for (const literal of (union[1] ?? "").matchAll(/"([A-Z][A-Z0-9_]+)"/g)) codes.add(literal[1] ?? "");
  }
  return codes;
}

function codesInDocs(): Set<string> {
  return new Set([...readFileSync("docs/errors.md", "utf8").matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map((match) => match[1] ?? ""));
}

test("every error code of the code is in docs/errors.md, with cause and remedy, and the other way round", () => {
  const source = codesInSource();
  expect(source.size).toBeGreaterThan(0);
  expect([...codesInDocs()].sort()).toEqual([...source].sort());
});
