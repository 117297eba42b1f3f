/** A topology as text, in the shape of Kafka Streams' TopologyDescription. */
import { storeKind } from "./store-shape.ts";
import type { Subtopology, TopologyNode } from "./node.ts";

/** One block per subtopology, one entry per node with what goes in and out of it; ends with a line feed. */
export function describeTopology(subtopologies: readonly Subtopology[]): string {
  return `Topology\n${subtopologies.map(describeSubtopology).join("")}`;
}

function describeSubtopology({ index, name, partitions, nodes, stores }: Subtopology): string {
  const parents = new Map<string, string[]>();
  for (const node of nodes) for (const child of childrenOf(node)) parents.set(child, [...(parents.get(child) ?? []), node.name]);
  const lines = [`  Subtopology: ${index} ${name} (tasks: ${tasks(index, partitions)})`];
  for (const node of nodes) {
    lines.push(`    ${headline(node)}`);
    if (node.kind !== "sink") lines.push(`      --> ${listed(node.children)}`);
    if (node.kind !== "source") lines.push(`      <-- ${listed(parents.get(node.name) ?? [])}`);
  }
  for (const store of stores) lines.push(`    Store: ${store.name} (${storeKind(store)})`);
  return `${lines.join("\n")}\n`;
}

function headline(node: TopologyNode): string {
  switch (node.kind) {
    case "source":
      return `Source: ${node.name} (topic: ${node.topic.name}, partitions: ${node.topic.partitions})`;
    case "sink":
      return `Sink: ${node.name} (topic: ${node.topic.name})`;
    case "processor": {
      const facts = [`stores: [${node.stores.map(({ name }) => name).join(", ")}]`];
      if (node.sinks.length > 0) facts.push(`sinks: [${node.sinks.map(({ name }) => name).join(", ")}]`);
      if (node.changesKey === true) facts.push("keys may change");
      return `Processor: ${node.name} (${facts.join(", ")})`;
    }
    default:
      return node satisfies never;
  }
}

function childrenOf(node: TopologyNode): readonly string[] {
  return node.kind === "sink" ? [] : node.children;
}

function tasks(index: number, partitions: number): string {
  return partitions === 1 ? `${index}_0` : `${index}_0 to ${index}_${partitions - 1}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
