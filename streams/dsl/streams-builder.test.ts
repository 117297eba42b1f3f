import { describe, expect, test } from "vitest";
import { TopologyError } from "../errors.ts";
import { alarms, idle, text, texts, textStore } from "../topology/fixtures/samples.ts";
import { StreamsBuilder } from "./streams-builder.ts";

const orders = texts("orders");
const shouts = texts("shouts", { partitions: 2 });

function problemsOf(builder: StreamsBuilder): readonly string[] {
  try {
    builder.build();
  } catch (error) {
    if (error instanceof TopologyError) return error.problems;
    throw error;
  }
  return [];
}

describe("a topology from the builder", () => {
  test("a chain of steps is one subtopology with parents before children", () => {
    const builder = new StreamsBuilder();
    builder
      .stream(orders)
      .filter(({ value }) => value !== "", { name: "not-empty" })
      .map(({ key, value }) => ({ key, value: value.toUpperCase() }), { name: "shout" })
      .to(shouts, { name: "out" });
    const [subtopology, ...others] = builder.build().subtopologies;
    expect(others).toEqual([]);
    expect(subtopology?.nodes.map(({ name }) => name)).toEqual(["source:orders", "not-empty", "shout", "out"]);
    expect(subtopology?.nodes.map((node) => (node.kind === "sink" ? [] : node.children))).toEqual([["not-empty"], ["shout"], ["out"], []]);
    expect(subtopology?.partitions).toBe(3);
    expect(subtopology?.sinkTopics).toEqual([shouts]);
  });

  test("topics cut: what one writes and another reads makes two subtopologies, numbered as declared", () => {
    const builder = new StreamsBuilder();
    builder.stream(orders).to(shouts);
    builder.stream(shouts).process({ name: "hear", processor: idle });
    const { subtopologies } = builder.build();
    expect(subtopologies.map(({ index, name, partitions }) => [index, name, partitions])).toEqual([
      [0, "orders", 3],
      [1, "hear", 2],
    ]);
  });

  test("edges, shared stores and one source asked for twice hold a subtopology together", () => {
    const builder = new StreamsBuilder();
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => texts(name)) as [typeof orders, typeof orders, typeof orders, typeof orders];
    builder.stream(a).process({ name: "left", stores: [textStore("shared")], processor: idle });
    builder.stream(b).process({ name: "alone", processor: idle });
    builder.stream(c).process({ name: "right", stores: [textStore("shared")], processor: idle });
    builder.stream(d).merge(builder.stream(a), { name: "together" });
    const { subtopologies } = builder.build();
    expect(subtopologies.map(({ sources }) => sources.map(({ topic }) => topic.name))).toEqual([["a", "c", "d"], ["b"]]);
    expect(subtopologies[0]?.sources[0]?.children).toEqual(["left", "together"]);
    expect(subtopologies[0]?.stores.map(({ name }) => name)).toEqual(["shared"]);
  });

  test("several may write one topic, and a topic may lead back to its own writer", () => {
    const builder = new StreamsBuilder();
    builder.stream(orders).process({ name: "first", sinks: [orders, shouts], processor: idle });
    builder
      .stream(shouts)
      .process({ name: "second", sinks: [orders, shouts], processor: idle })
      .to(orders);
    expect(builder.build().subtopologies.map(({ sinkTopics }) => sinkTopics.map(({ name }) => name))).toEqual([
      ["orders", "shouts"],
      ["orders", "shouts"],
    ]);
  });

  test("marks steps after which keys may have changed, and only those", () => {
    const builder = new StreamsBuilder();
    const source = builder.stream(orders);
    source.filter(() => true, { name: "filter" }).mapValues(({ value }) => value.length, { name: "lengths" });
    source.peek(() => {}, { name: "peek" }).selectKey(({ value }) => value, { name: "by-value" });
    source.map((record) => record, { name: "map" }).flatMap(() => [], { name: "flat-map" });
    const marked = builder
      .build()
      .subtopologies.flatMap(({ nodes }) => nodes)
      .filter((node) => node.kind === "processor" && node.changesKey === true);
    expect(marked.map(({ name }) => name)).toEqual(["by-value", "map", "flat-map"]);
  });

  test("a topology is frozen, and what is added later belongs to the next build", () => {
    const builder = new StreamsBuilder();
    const stream = builder.stream(orders);
    const before = builder.build();
    stream.process({ name: "later", processor: idle });
    expect(before.subtopologies[0]?.nodes).toHaveLength(1);
    expect(builder.build().subtopologies[0]?.nodes).toHaveLength(2);
    expect(Object.isFrozen(before.subtopologies[0]?.nodes) && Object.isFrozen(before.subtopologies)).toBe(true);
  });
});

describe("what is wrong with a topology", () => {
  test("an empty one", () => {
    expect(problemsOf(new StreamsBuilder())).toEqual(["the topology is empty: begin with builder.stream(topic)"]);
  });

  test("all problems come at once, each with its remedy", () => {
    const builder = new StreamsBuilder();
    const source = builder.stream(orders);
    source.process({ name: "twice", stores: [textStore("store")], processor: idle });
    source.process({ name: "twice", stores: [textStore("store", text("other"))], processor: idle });
    source.process({ name: "clock", stores: [{ ...alarms, name: "store" }], processor: idle });
    builder.stream(texts("orders", { partitions: 7 }));
    builder.stream(texts("no/topic", { partitions: 0 })).merge(new StreamsBuilder().stream(orders), { name: "strange" });
    expect(problemsOf(builder)).toEqual([
      '"strange" merges a stream of another builder: make both from one',
      '2 steps are named "twice": give each its own name',
      expect.stringMatching(/^topic orders is described in two ways, \(key text, value text, 3 part.* 7 part/),
      expect.stringMatching(/^topic name "no\/topic" is not legal/),
      "topic no/topic has 0 partitions: at least 1 is needed",
      'store "store" is declared as (key-value, text, text) and as (key-value, text, other): use one descriptor or two names',
      'store "store" is declared as (key-value, text, text) and as (timers/wall): use one descriptor or two names',
    ]);
  });

  test("topics that fill one store must agree in partition count, partitioner and key serde", () => {
    const wide = texts("wide", { partitions: 4, key: text("long-text"), partitioner: { name: "first", partition: () => 0 } });
    const builder = new StreamsBuilder();
    builder
      .stream(orders)
      .merge(builder.stream(wide))
      .process({ name: "keep", stores: [textStore("store")], processor: idle });
    expect(problemsOf(builder)).toEqual([
      'store "store" is filled from topics with different partition counts (orders 3, wide 4): they must agree',
      'store "store" is filled from topics with different partitioners (orders murmur2, wide first): they must agree',
      'store "store" is filled from topics with different key serdes (orders text, wide long-text): they must agree',
    ]);
  });

  test("topics of different counts may meet where no store is shared: tasks are as many as the largest has partitions", () => {
    const builder = new StreamsBuilder();
    builder.stream(orders).process({ name: "keep", stores: [textStore("store")], processor: idle });
    builder.stream(orders).merge(builder.stream(shouts)).to(texts("all"));
    const topology = builder.build();
    expect(topology.subtopologies.map(({ partitions }) => partitions)).toEqual([3]);
  });
});
