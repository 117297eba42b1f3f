/** What the README shows works as it stands there. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TopologyTestDriver } from "#streams/testing";
import { topology } from "../examples/shortest-topology.ts";

const readme = readFileSync("README.md", "utf8");

test("the README's sample is the example that is compiled with everything else", () => {
  const [, block] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(block).toBe(readFileSync("examples/shortest-topology.ts", "utf8"));
});

test("the sample counts words, and keeps its counts over a restart", () => {
  const driver = new TopologyTestDriver(topology);
  const words = topology.subtopologies.flatMap(({ sources }) => sources.map((source) => source.topic)).find(({ name }) => name === "words");
  const totals = topology.subtopologies.flatMap(({ sinkTopics }) => sinkTopics).find(({ name }) => name === "totals");
  if (words === undefined || totals === undefined) throw new Error("the sample reads words and writes totals");
  for (const word of ["a", "b", "a"]) driver.pipe(words, word, "");
  driver.restart();
  driver.pipe(words, "a", "");
  expect(driver.read(totals).map(({ key, value }) => [key, value])).toEqual([
    ["a", 1],
    ["b", 1],
    ["a", 2],
    ["a", 3],
  ]);
  expect(driver.deadLetters()).toEqual([]);
});

test("the README fits on a few screens, and its commands and files exist", () => {
  expect(readme.split("\n").length).toBeLessThanOrEqual(150);
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
  const named = [...readme.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  const linked = [...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path = ""]) => path);
  expect(linked.length).toBeGreaterThan(2);
  for (const path of linked) expect(existsSync(path), path).toBe(true);
});
