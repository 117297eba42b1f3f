/** Cuts a graph into its connected components: edges and shared stores hold nodes together, topics part them. */
import type { StoreDescriptor } from "#state";
import type { Topic } from "../topic.ts";
import type { SourceNode, Subtopology, TopologyNode } from "./node.ts";
import type { DraftNode } from "./topology-graph.ts";

/** Numbered by the first node declared in each. The graph must have passed `checkGraph`. */
export function cutAtTopics(drafts: readonly DraftNode[]): readonly Subtopology[] {
  const components = new Map<DraftNode, DraftNode[]>();
  const rootOf = connect(drafts);
  for (const draft of drafts) {
    const root = rootOf(draft);
    const members = components.get(root);
    if (members === undefined) components.set(root, [draft]);
    else members.push(draft);
  }
  return Object.freeze([...components.values()].map((members, index) => subtopology(index, members)));
}

/** Draft → the one draft that stands for its component. */
function connect(drafts: readonly DraftNode[]): (draft: DraftNode) => DraftNode {
  const position = new Map(drafts.map((draft, index) => [draft, index]));
  const above = drafts.map((_, index) => index);
  const find = (at: number): number => {
    let root = at;
    while (above[root] !== root) root = above[root] ?? root;
    above[at] = root;
    return root;
  };
  const join = (a: number, b: number): void => {
    above[find(b)] = find(a);
  };
  const firstUser = new Map<string, number>();
  for (const [index, { node, children }] of drafts.entries()) {
    for (const child of children) join(index, position.get(child) ?? index);
    if (node.kind !== "processor") continue;
    for (const { name } of node.stores) {
      const first = firstUser.get(name);
      if (first === undefined) firstUser.set(name, index);
      else join(first, index);
    }
  }
  return (draft) => drafts[find(position.get(draft) ?? 0)] ?? draft;
}

function subtopology(index: number, drafts: readonly DraftNode[]): Subtopology {
  const nodes = Object.freeze(drafts.map(frozenNode));
  const sources = nodes.filter((node): node is SourceNode => node.kind === "source");
  const processors = nodes.filter((node) => node.kind === "processor");
  const stores = new Map<string, StoreDescriptor>();
  const sinkTopics = new Map<string, Topic<any, any>>();
  for (const node of nodes) {
    if (node.kind === "sink") sinkTopics.set(node.topic.name, node.topic);
    if (node.kind !== "processor") continue;
    for (const store of node.stores) if (!stores.has(store.name)) stores.set(store.name, store);
    for (const topic of node.sinks) sinkTopics.set(topic.name, topic);
  }
  const named = processors.find((node) => node.stores.length > 0) ?? processors[0];
  return Object.freeze({
    index,
    name: named?.name ?? sources[0]?.topic.name ?? `subtopology-${index}`,
    nodes,
    sources: Object.freeze(sources),
    sinkTopics: Object.freeze([...sinkTopics.values()]),
    stores: Object.freeze([...stores.values()]),
    partitions: Math.max(...sources.map(({ topic }) => topic.partitions)),
  });
}

function frozenNode({ node, children }: DraftNode): TopologyNode {
  if (node.kind === "sink") return Object.freeze(node);
  const names = Object.freeze(children.map((child) => child.node.name));
  if (node.kind === "source") return Object.freeze({ ...node, children: names });
  return Object.freeze({ ...node, stores: Object.freeze([...node.stores]), sinks: Object.freeze([...node.sinks]), children: names });
}
