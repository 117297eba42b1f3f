/** The house style that no linter keeps: borders between folders, one door each, sizes, banned calls, nothing that names a machine. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

/** Folder → doors it may import (design: the folders tell the way of a record). Tests may import more, see below. */
const borders: Readonly<Record<string, readonly string[] | "all">> = {
  disk: [],
  log: ["disk"],
  state: ["disk"],
  schemas: [],
  geo: [],
  streams: ["log", "state", "disk"],
  topologies: ["streams", "schemas", "geo", "state"],
  world: ["schemas", "geo", "log"],
  proof: ["schemas", "geo"],
  api: ["streams", "topologies", "schemas", "geo", "log", "disk", "state"],
  cli: "all",
  bench: "all",
  sim: "all",
  soak: "all",
  "test-full": "all",
};

/** What a folder's tests may use beyond the folder's own borders. */
const testExtras = [
  "disk",
  "log",
  "state",
  "log/conformance",
  "log/kafka/testing",
  "state/conformance",
  "streams",
  "streams/testing",
  "schemas",
  "geo",
  "world",
  "proof",
];

const clockless = ["log", "state", "streams", "topologies", "world"];
const bannedCalls = /\b(?:Date\.now|Math\.random|setTimeout|setInterval|console\.\w+)\s*\(/;
const machineTraces = /(?:\/home\/|\/Users\/|\/root\/|registry\.npmjs)/;

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && statSync(file, { throwIfNoEntry: false })?.isFile() === true);
const sources = files.filter((file) => /\.(?:ts|cjs|mjs)$/.test(file));
const text = new Map(sources.map((file) => [file, readFileSync(file, "utf8")]));

const folderOf = (file: string): string => file.split("/")[0] ?? "";
const isTest = (file: string): boolean =>
  file.endsWith(".test.ts") || file.includes("/conformance/") || file.includes("/fixtures/") || file.includes("/testing/");

/** What a comment quotes is no import. */
const withoutComments = (source: string): string => source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, "");

function importsOf(file: string): string[] {
  return [...withoutComments(text.get(file) ?? "").matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1] ?? "");
}

describe("tidy", () => {
  test("folders import only what lies before them on a record's way", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const allowed = borders[folderOf(file)];
      if (allowed === undefined || allowed === "all") continue;
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith("#")) continue;
        const door = specifier.slice(1);
        const fine = allowed.includes(door) || (isTest(file) && testExtras.includes(door)) || door === folderOf(file);
        if (!fine) wrong.push(`${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("no relative path leaves a folder, and nobody inside imports the door", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const folder = folderOf(file);
      if (!(folder in borders)) continue;
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith(".")) {
          const target = normalize(join(dirname(file), specifier));
          if (folderOf(target) !== folder) wrong.push(`${file} leaves its folder by ${specifier}`);
          if (target === `${folder}/index.ts`) wrong.push(`${file} imports its own door`);
        }
        if (specifier === `#${folder}` && !isTest(file) && file !== `${folder}/main.ts`) wrong.push(`${file} imports its own door`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("clock, randomness and output come from outside", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      if (!clockless.includes(folderOf(file)) || isTest(file) || /(?:^|\/)defaults\.ts$/.test(file)) continue;
      (text.get(file) ?? "").split("\n").forEach((line, index) => {
        if (bannedCalls.test(line.replace(/\/\/.*$|^\s*\*.*$/, ""))) wrong.push(`${file}:${index + 1} ${line.trim()}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  test("at most 20 source files a folder, 500 lines a file, 800 a test", () => {
    const perFolder = new Map<string, number>();
    const wrong: string[] = [];
    for (const file of sources) {
      const lines = (text.get(file) ?? "").split("\n").length;
      const most = isTest(file) ? 800 : 500;
      if (lines > most) wrong.push(`${file} has ${lines} lines, at most ${most}`);
      if (!isTest(file)) perFolder.set(dirname(file), (perFolder.get(dirname(file)) ?? 0) + 1);
    }
    for (const [folder, count] of perFolder) if (count > 20) wrong.push(`${folder} has ${count} source files, at most 20`);
    expect(wrong).toEqual([]);
  });

  test("a lint rule is left out for everybody, or in one place, only with a reason", () => {
    const { rules } = JSON.parse(readFileSync(".oxlintrc.json", "utf8")) as { readonly rules: Readonly<Record<string, unknown>> };
    const reasons = readFileSync("docs/decisions/0011-checks.md", "utf8");
    const off = Object.keys(rules).filter((rule) => rules[rule] === "off");
    expect(off.filter((rule) => !reasons.includes(`| \`${rule}\` |`))).toEqual([]);
    const places = sources
      .filter((file) => file !== "tidy.test.ts")
      .flatMap((file) => (text.get(file) ?? "").match(/lint-disable.*/g) ?? []);
    expect(places.filter((line) => !/ -- .{10}/.test(line))).toEqual([]);
  });

  test("every package import has a door", () => {
    const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
      imports: Record<string, string>;
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    for (const [door, file] of Object.entries(manifest.imports)) expect(statSync(file).isFile(), `${door} → ${file}`).toBe(true);
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("nothing names a machine or a registry host", () => {
    const wrong: string[] = [];
    for (const file of files) {
      if (file === "tidy.test.ts" || /\.(?:png|gz|svg)$/.test(file)) continue;
      readFileSync(file, "utf8")
        .split("\n")
        .forEach((line, index) => {
          if (machineTraces.test(line)) wrong.push(`${file}:${index + 1} ${line.trim().slice(0, 120)}`);
        });
    }
    expect(wrong).toEqual([]);
  });
});
