/** `docs/errors.md` and the code agree: every stable code is documented in its folder's table, and nothing else is. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"], { encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && existsSync(file) && !/\.test\.ts$|\/testing\/|\/conformance\/|\/fixtures\//.test(file));

/** A semicolon inside a comment must not end a union. */
function codeOf(file: string): string {
  return readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}

/** `folder CODE`, from each union whose name ends with Code in a file that ends with errors.ts. */
function codesInSource(): Set<string> {
  const codes = new Set<string>();
  for (const file of tracked.filter((name) => name.endsWith("errors.ts"))) {
    for (const [, union = ""] of codeOf(file).matchAll(/export type \w*Code\s*=([^;]+);/g))
      for (const [, code] of union.matchAll(/"([A-Z][A-Z0-9_]+)"/g)) codes.add(`${file.split("/")[0]} ${code}`);
  }
  return codes;
}

interface Row {
  readonly folder: string;
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

function rowsInDocs(): readonly Row[] {
  let folder = "";
  const rows: Row[] = [];
  for (const line of readFileSync("docs/errors.md", "utf8").split("\n")) {
    folder = /^## `(\w+)\/`/.exec(line)?.[1] ?? folder;
    const [, code, cause = "", remedy = ""] = /^\| `([A-Z][A-Z0-9_]+)` \|([^|]*)\|([^|]*)\|$/.exec(line) ?? [];
    if (code !== undefined) rows.push({ folder, code, cause: cause.trim(), remedy: remedy.trim() });
  }
  return rows;
}

test("every error code of the code is in docs/errors.md, in the table of its folder, and the other way round", () => {
  const source = codesInSource();
  expect(source.size).toBeGreaterThan(0);
  expect(
    rowsInDocs()
      .map(({ folder, code }) => `${folder} ${code}`)
      .sort(),
  ).toEqual([...source].sort());
});

test("each code has a cause and a remedy", () => {
  expect(rowsInDocs().filter(({ cause, remedy }) => cause.length < 10 || remedy.length < 10)).toEqual([]);
});

test("no error is made with a code that no union declares", () => {
  const known = new Set([...codesInSource()].map((each) => each.split(" ")[1]));
  const wrong: string[] = [];
  for (const file of tracked) {
    for (const [, name, code] of codeOf(file).matchAll(/new (\w+Error)\(\s*"([A-Z][A-Z0-9_]+)"/g))
      if (!known.has(code)) wrong.push(`${file}: ${name} ${code}`);
  }
  expect(wrong).toEqual([]);
});
