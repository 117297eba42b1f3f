import { expect, test } from "vitest";
import { chainHash, chainLink, checkChains, type ChainRecord } from "./chains.ts";

const records = (values: readonly string[]): ChainRecord[] => values.map((value, offset) => ({ partition: 0, offset, key: "k", value }));
const events = records(["a", "b", "c"]);
const links = (values: readonly string[]): ChainRecord[] => {
  let hash: number | undefined;
  return records(
    values.map((value, index) => {
      hash = chainHash(hash, value);
      return chainLink(index + 1, hash, value);
    }),
  );
};

test("one link an event, in order, is right", () => {
  expect(checkChains({ events, links: links(["a", "b", "c"]) })).toEqual([]);
});

test.each([
  ["lost", ["a", "c"]],
  ["doubled", ["a", "b", "b", "c"]],
  ["out of order", ["a", "c", "b"]],
  ["never sent", ["a", "b", "c", "d"]],
])("an event %s is told", (_, values) => {
  expect(checkChains({ events, links: links(values) })).not.toEqual([]);
});

test("a link that was written twice is told, though its content is right", () => {
  const once = links(["a", "b", "c"]);
  expect(checkChains({ events, links: [...once, ...once.slice(2)] })).toHaveLength(2);
});

const isBad = (value: string): boolean => value === "b";

test("a bad event has one dead letter and no link", () => {
  const good = { events, links: links(["a", "c"]), isBad };
  expect(checkChains({ ...good, deadLetters: ["0/1"] })).toEqual([]);
  expect(checkChains(good)).toEqual(["the bad event 0/1 is no dead letter"]);
  expect(checkChains({ ...good, deadLetters: ["0/1", "0/1"] })).toEqual(["the event 0/1 is a dead letter twice"]);
  expect(checkChains({ ...good, deadLetters: ["0/1", "0/2"] })).toEqual(["the event 0/2 is a dead letter and was good"]);
});
