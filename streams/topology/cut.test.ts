/** Subtopologies of random graphs against plain reachability. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { idle, texts, textStore } from "./fixtures/samples.ts";
import { cutAtTopics } from "./cut.ts";
import { TopologyGraph, type DraftNode } from "./topology-graph.ts";

const declaration = fc.record({
  kind: fc.constantFrom("source", "processor", "processor", "sink"),
  parents: fc.array(fc.nat(100), { minLength: 1, maxLength: 2 }),
  stores: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
  topic: fc.constantFrom("t1", "t2", "t3", "t4", "t5", "t6"),
});

function graphOf(declarations: readonly { kind: string; parents: number[]; stores: string[]; topic: string }[]): readonly DraftNode[] {
  const graph = new TopologyGraph();
  graph.source(texts("t0"));
  for (const [index, { kind, parents, stores, topic }] of declarations.entries()) {
    const open = graph.nodes.filter(({ node }) => node.kind !== "sink");
    const chosen = parents.flatMap((parent) => open[parent % open.length] ?? []);
    if (kind === "source") graph.source(texts(topic));
    else if (kind === "sink") graph.sink(`sink-${index}`, texts(topic), chosen[0] as DraftNode);
    else graph.processor({ name: `step-${index}`, supplier: idle, stores: stores.map((name) => textStore(name)) }, chosen);
  }
  return graph.nodes;
}

const stores = ({ node }: DraftNode): readonly string[] => (node.kind === "processor" ? node.stores.map(({ name }) => name) : []);

const linked = (a: DraftNode, b: DraftNode): boolean =>
  a.children.includes(b) || b.children.includes(a) || stores(a).some((store) => stores(b).includes(store));

/** Names that hang together with the first, found by walking edges and stores both ways until nothing is new. */
function reachable(drafts: readonly DraftNode[], from: DraftNode): ReadonlySet<string> {
  const found = new Set([from]);
  for (const one of found) for (const other of drafts) if (linked(one, other)) found.add(other);
  return new Set([...found].map(({ node }) => node.name));
}

test("a subtopology is exactly what hangs together by edges and stores, with parents before children", () => {
  const property = fc.property(fc.array(declaration, { maxLength: 25 }), (declarations) => {
    const drafts = graphOf(declarations);
    const subtopologies = cutAtTopics(drafts);
    const order = new Map(drafts.map(({ node }, position) => [node.name, position]));
    expect(subtopologies.flatMap(({ nodes }) => nodes)).toHaveLength(drafts.length);
    for (const [index, subtopology] of subtopologies.entries()) {
      expect(subtopology.index).toBe(index);
      const names = subtopology.nodes.map(({ name }) => name);
      const positions = names.map((name) => order.get(name) ?? -1);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      const first = drafts[positions[0] ?? -1] as DraftNode;
      expect(new Set(names)).toEqual(reachable(drafts, first));
      for (const node of subtopology.nodes) {
        const children = node.kind === "sink" ? [] : node.children;
        expect(children.every((child) => names.indexOf(child) > names.indexOf(node.name))).toBe(true);
      }
    }
    const firsts = subtopologies.map(({ nodes }) => order.get(nodes[0]?.name ?? "") ?? -1);
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  });
  fc.assert(property, { numRuns: 200 });
});
