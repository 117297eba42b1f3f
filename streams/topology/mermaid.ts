/** A topology as a Mermaid flowchart: topics rounded, processors as boxes, stores as cylinders, a subgraph per subtopology. */
import type { Subtopology, TopologyNode } from "./node.ts";

/** Text of a `flowchart LR`; ends with a line feed. */
export function mermaidOf(subtopologies: readonly Subtopology[]): string {
  const ids = new Map<string, string>();
  const id = (prefix: string, name: string): string => {
    const key = `${prefix} ${name}`;
    const known = ids.get(key) ?? `${prefix}${ids.size}`;
    ids.set(key, known);
    return known;
  };
  const topics = new Set<string>();
  const inside: string[] = [];
  const edges: string[] = [];
  for (const subtopology of subtopologies) {
    inside.push(`  subgraph s${subtopology.index}["${subtopology.index} ${label(subtopology.name)}"]`);
    for (const node of subtopology.nodes) if (node.kind === "processor") inside.push(`    ${id("p", node.name)}["${label(node.name)}"]`);
    for (const { name } of subtopology.stores) inside.push(`    ${id("d", name)}[("${label(name)}")]`);
    inside.push("  end");
    const byName = new Map(subtopology.nodes.map((node) => [node.name, node]));
    for (const node of subtopology.nodes) edges.push(...edgesOf(node, byName, id, topics));
  }
  const rounded = [...topics].map((name) => `  ${id("t", name)}(["${label(name)}"])`);
  return `${["flowchart LR", ...rounded, ...inside, ...edges].join("\n")}\n`;
}

function edgesOf(
  node: TopologyNode,
  byName: ReadonlyMap<string, TopologyNode>,
  id: (prefix: string, name: string) => string,
  topics: Set<string>,
): string[] {
  if (node.kind === "sink") return [];
  const topic = (name: string): string => {
    topics.add(name);
    return id("t", name);
  };
  const from = node.kind === "source" ? topic(node.topic.name) : id("p", node.name);
  const edges = node.children.map((child) => {
    const target = byName.get(child);
    return `  ${from} --> ${target?.kind === "sink" ? topic(target.topic.name) : id("p", child)}`;
  });
  if (node.kind === "processor") {
    for (const { name } of node.sinks) edges.push(`  ${from} --> ${topic(name)}`);
    for (const { name } of node.stores) edges.push(`  ${from} --- ${id("d", name)}`);
  }
  return edges;
}

/** Quotes would end the label. */
function label(name: string): string {
  return name.replaceAll('"', "#quot;");
}
