import { expect, test } from "vitest";
import type { Serde } from "#state";
import { topic } from "../topic.ts";
import { StreamsBuilder } from "./streams-builder.ts";

const text: Serde<string> = {
  id: "text",
  encode(value, target, at) {
    const end = at + Buffer.byteLength(value);
    if (end <= target.length) target.write(value, at);
    return end;
  },
  decode: (bytes, start, end) => bytes.toString("utf8", start, end),
};
const orders = topic({ name: "orders", key: text, value: text, partitions: 3 });
const shouts = topic({ name: "shouts", key: text, value: text, partitions: 2 });

test("a chain of steps becomes one subtopology with parents before children", () => {
  const builder = new StreamsBuilder();
  builder
    .stream(orders)
    .filter(({ value }) => value !== "", { name: "not-empty" })
    .map(({ key, value }) => ({ key, value: value.toUpperCase() }), { name: "shout" })
    .to(shouts, { name: "out" });
  const [subtopology, ...others] = builder.build().subtopologies;
  expect(others).toEqual([]);
  expect(subtopology?.nodes.map(({ name }) => name)).toEqual(["source:orders", "not-empty", "shout", "out"]);
  expect(subtopology?.partitions).toBe(3);
  expect(subtopology?.sinkTopics).toEqual([shouts]);
});
