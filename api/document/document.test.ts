/** The API's document, its page in docs/ and its routes say the same, and what the page says to type works. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ServedSystem } from "../testing/served-system.ts";

const snapshotFile = new URL("../../docs/openapi.json", import.meta.url);
const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const run = promisify(execFile);
/** Served, and no part of the document itself. */
const beside = ["GET /openapi.json", "GET /docs"];

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
  readonly summary?: string;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let system: ServedSystem;
let document: OpenApi;
beforeAll(async () => {
  system = await ServedSystem.open();
  document = (await system.get("/openapi.json")).body as unknown as OpenApi;
});
afterAll(() => system[Symbol.asyncDispose]());

const routesOf = (text: string): readonly string[] => [...text.matchAll(/`((?:GET|POST) \/[^`\s]*)`/g)].map(([, route = ""]) => route);
const routesServed = (): readonly string[] =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );

test("the document is OpenAPI 3.1, and docs/openapi.json is a copy of it", () => {
  expect(document.openapi).toBe("3.1.0");
  // Renewed on purpose: SLACKLINE_WRITE_OPENAPI=1 npx vitest run api/document
  if (process.env["SLACKLINE_WRITE_OPENAPI"] === "1") writeFileSync(snapshotFile, `${JSON.stringify(document, undefined, 2)}\n`);
  expect(document).toEqual(JSON.parse(readFileSync(snapshotFile, "utf8")));
});

test("every route has a summary, and says what can go wrong", () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const { summary, responses } of Object.values(operations)) {
      expect([path, summary === undefined]).toEqual([path, false]);
      if (path.startsWith("/v1/")) expect([path, Object.keys(responses)]).toEqual([path, expect.arrayContaining(["401", "403", "429"])]);
    }
  }
});

test("docs/api.md names exactly the routes that are served, and the README no other", () => {
  expect([...new Set(routesOf(page))].sort()).toEqual([...routesServed(), ...beside].sort());
  for (const route of routesOf(readme)) expect([...routesServed(), ...beside]).toContain(route);
});

test("each line that docs/api.md says to type works", async () => {
  const lines = page.split("\n").filter((line) => line.startsWith("    curl "));
  expect(lines.length).toBeGreaterThan(10);
  // What was written first is asked for afterwards.
  for (const line of lines) {
    const command = line.trim().replaceAll("http://127.0.0.1:7400", system.server.url);
    const { stdout } = await run("sh", ["-c", command]).catch((error: { readonly code: number; readonly stdout: string }) => {
      // A stream ends by the time that was given to it.
      if (error.code === 28) return error;
      throw new Error(`${line} ended with ${error.code}: is curl installed?`);
    });
    expect([line, stdout]).toEqual([line, expect.stringMatching(/^[[{]|event: snapshot/)]);
    expect(stdout).not.toMatch(/"status":[45]\d\d/);
    await system.advance(2_000);
  }
}, 60_000);
