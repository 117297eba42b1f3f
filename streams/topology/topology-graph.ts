/** What a builder collects: nodes in the order of their declaration, which is also an order of parents before children. */
import type { StoreDescriptor } from "#state";
import type { ProcessorSupplier } from "../processor.ts";
import type { Topic } from "../topic.ts";
import type { ProcessorNode, SinkNode, SourceNode, TopologyNode } from "./node.ts";

/** A node under construction; `topology` makes the frozen node of it. */
export interface DraftNode {
  readonly node: TopologyNode;
  readonly children: DraftNode[];
}

export interface ProcessorDeclaration {
  readonly name: string;
  readonly supplier: ProcessorSupplier<any, any, any, any>;
  readonly stores?: readonly StoreDescriptor[];
  readonly sinks?: readonly Topic<any, any>[];
  readonly changesKey?: boolean;
}

/** Collects without judging: `checkGraph` finds all problems at once. */
export class TopologyGraph {
  readonly nodes: DraftNode[] = [];
  /** Every topic descriptor that was handed in, as often as it was. */
  readonly topics: Topic<any, any>[] = [];
  /** What was wrong at the call already and cannot be seen from the nodes. */
  readonly problems: string[] = [];
  readonly #sources = new Map<string, DraftNode>();
  readonly #counts = new Map<string, number>();

  /** `#` cannot be in a topic or store name, so that nothing that a user names after one collides with it. */
  generatedName(operator: string): string {
    const count = (this.#counts.get(operator) ?? 0) + 1;
    this.#counts.set(operator, count);
    return `${operator}#${count}`;
  }

  /** One source per topic, however often it is asked for: several streams of a topic are children of one node. */
  source(topic: Topic<any, any>): DraftNode {
    this.topics.push(topic);
    const known = this.#sources.get(topic.name);
    if (known !== undefined) return known;
    const draft = this.#add({ kind: "source", name: `source:${topic.name}`, topic, children: [] } satisfies SourceNode, []);
    this.#sources.set(topic.name, draft);
    return draft;
  }

  processor(declaration: ProcessorDeclaration, parents: readonly DraftNode[]): DraftNode {
    const { name, supplier, stores = [], sinks = [], changesKey = false } = declaration;
    this.topics.push(...sinks);
    return this.#add({ kind: "processor", name, supplier, stores, sinks, changesKey, children: [] } satisfies ProcessorNode, parents);
  }

  sink(name: string, topic: Topic<any, any>, parent: DraftNode): void {
    this.topics.push(topic);
    this.#add({ kind: "sink", name, topic } satisfies SinkNode, [parent]);
  }

  #add(node: TopologyNode, parents: readonly DraftNode[]): DraftNode {
    const draft: DraftNode = { node, children: [] };
    this.nodes.push(draft);
    for (const parent of parents) if (!parent.children.includes(draft)) parent.children.push(draft);
    return draft;
  }
}
