/** Which topics fill which store: what co-partitioning is judged by, and where a query looks for a key. */
import type { Topic } from "../topic.ts";
import type { Subtopology, TopologyNode } from "./node.ts";

/** Store name → the topics whose records can reach a processor that uses it, as declared. */
export type StoreTopics = ReadonlyMap<string, readonly Topic<any, any>[]>;

/** `nodes` has parents before children. */
export function storeTopics(nodes: readonly TopologyNode[], childrenOf: (node: TopologyNode) => readonly TopologyNode[]): StoreTopics {
  const reaching = new Map(nodes.map((node) => [node, new Set<Topic<any, any>>()]));
  const byStore = new Map<string, Set<Topic<any, any>>>();
  for (const node of nodes) {
    const topics = reaching.get(node) ?? new Set();
    if (node.kind === "source") topics.add(node.topic);
    for (const child of childrenOf(node)) for (const topic of topics) reaching.get(child)?.add(topic);
    if (node.kind !== "processor") continue;
    for (const { name } of node.stores) {
      const known = byStore.get(name) ?? new Set();
      byStore.set(name, known);
      for (const topic of topics) known.add(topic);
    }
  }
  return new Map([...byStore].map(([store, topics]) => [store, [...topics]]));
}

/** Of all stores of a built topology. */
export function storeTopicsOf(subtopologies: readonly Subtopology[]): StoreTopics {
  const nodes = subtopologies.flatMap((subtopology) => subtopology.nodes);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return storeTopics(nodes, (node) => (node.kind === "sink" ? [] : node.children.flatMap((child) => byName.get(child) ?? [])));
}
