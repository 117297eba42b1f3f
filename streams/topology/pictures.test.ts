import { expect, test } from "vitest";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { Topology } from "../dsl/builder.ts";
import { idle, texts, textStore } from "./fixtures/samples.ts";

const orders = texts("orders");
const trips = texts("trips", { partitions: 1 });

function small(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(orders)
    .filter(() => true, { name: "valid" })
    .process({ name: "jobs", stores: [textStore("jobs-by-id")], sinks: [orders], processor: idle })
    .to(trips, { name: "out" });
  builder.stream(trips).process({ name: 'bill "it"', processor: idle });
  return builder.build();
}

test("describes nodes, their neighbours and stores as text", () => {
  expect(small().describe()).toBe(`Topology
  Subtopology: 0 jobs (tasks: 0_0 to 0_2)
    Source: source:orders (topic: orders, partitions: 3)
      --> valid
    Processor: valid (stores: [])
      --> jobs
      <-- source:orders
    Processor: jobs (stores: [jobs-by-id], sinks: [orders], keys may change)
      --> out
      <-- valid
    Sink: out (topic: trips)
      <-- jobs
    Store: jobs-by-id (key-value)
  Subtopology: 1 bill "it" (tasks: 1_0)
    Source: source:trips (topic: trips, partitions: 1)
      --> bill "it"
    Processor: bill "it" (stores: [], keys may change)
      --> none
      <-- source:trips
`);
});

test("draws a Mermaid flowchart with topics rounded, stores as cylinders, and a box per subtopology", () => {
  expect(small().mermaid()).toBe(`flowchart LR
  t3(["orders"])
  t4(["trips"])
  subgraph s0["0 jobs"]
    p0["valid"]
    p1["jobs"]
    d2[("jobs-by-id")]
  end
  subgraph s1["1 bill #quot;it#quot;"]
    p5["bill #quot;it#quot;"]
  end
  t3 --> p0
  p0 --> p1
  p1 --> t4
  p1 --> t3
  p1 --- d2
  t4 --> p5
`);
});

test("every line of a flowchart is a node, an edge or a frame, and each edge joins declared nodes", () => {
  const lines = small().mermaid().trimEnd().split("\n").slice(1);
  const declared = new Set<string>();
  for (const line of lines) {
    const node = /^ +(\w+)(?:\(\["[^"]+"\]\)|\["[^"]+"\]|\[\("[^"]+"\)\])$/.exec(line);
    const edge = /^ {2}(\w+) (?:-->|---) (\w+)$/.exec(line);
    if (node?.[1] !== undefined) declared.add(node[1]);
    else if (edge === null) expect(line).toMatch(/^ {2}(?:subgraph s\d+\["[^"]+"\]|end)$/);
    else expect([declared.has(edge[1] ?? ""), declared.has(edge[2] ?? "")]).toEqual([true, true]);
  }
});
