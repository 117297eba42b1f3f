import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readToken } from "./token-file.ts";

const folder = mkdtempSync(join(tmpdir(), "slackline-token-"));
const file = join(folder, "token");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jwt = (claims: object): string =>
  ["{}", JSON.stringify(claims)].map((part) => Buffer.from(part).toString("base64url")).join(".") + ".";
const at = (seconds: number) => (): number => seconds * 1_000;

test("a token is read anew each time, without the line's end", async () => {
  for (const token of ["opaque-token_1", jwt({ sub: "a", exp: 100 })]) {
    writeFileSync(file, `${token}\n`);
    expect(await readToken(file, at(99))).toBe(token);
  }
});

test("a token that is over, a file that is missing and a file with something else are told apart, and no secret is told", async () => {
  const secret = jwt({ sub: "hunter2", exp: 100 });
  writeFileSync(file, secret);
  await expect(readToken(file, at(100))).rejects.toThrow(/token was good until|was good until 1970-01-01T00:01:40/);
  await expect(readToken(file, at(100))).rejects.not.toThrow(secret);
  writeFileSync(file, "two words hunter2");
  await expect(readToken(file, at(0))).rejects.toThrow(/^(?!.*hunter2).*holds no token/);
  writeFileSync(file, "");
  await expect(readToken(file, at(0))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  await expect(readToken(join(folder, "none"), at(0))).rejects.toThrow(/cannot be read/);
});
