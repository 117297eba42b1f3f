/** A built topology is data: nodes, cut into subtopologies. The task instantiates it; `describe` prints it. Contract only. */
import type { StoreDescriptor } from "#state";
import type { ProcessorSupplier } from "../processor.ts";
import type { Topic } from "../topic.ts";

export interface SourceNode {
  readonly kind: "source";
  readonly name: string;
  readonly topic: Topic<any, any>;
  readonly children: readonly string[];
}

/** Stateless operators are processors too, made by `operators/`. */
export interface ProcessorNode {
  readonly kind: "processor";
  readonly name: string;
  readonly supplier: ProcessorSupplier<any, any, any, any>;
  readonly stores: readonly StoreDescriptor[];
  /** Topics reachable by `context.sink`. */
  readonly sinks: readonly Topic<any, any>[];
  /** Its output may carry other keys than its input: the next step that needs records by key repartitions first. */
  readonly changesKey?: boolean;
  readonly children: readonly string[];
}

/** The end of a stream by `to(topic)`. */
export interface SinkNode {
  readonly kind: "sink";
  readonly name: string;
  readonly topic: Topic<any, any>;
}

export type TopologyNode = SourceNode | ProcessorNode | SinkNode;

/** A connected component: linked by edges or shared stores, cut at topics; numbered from 0 in declaration order. */
export interface Subtopology {
  readonly index: number;
  /** Name of its first processor with stores; without one, of its first processor, or of its first source's topic. */
  readonly name: string;
  /** Parents before children. */
  readonly nodes: readonly TopologyNode[];
  readonly sources: readonly SourceNode[];
  readonly sinkTopics: readonly Topic<any, any>[];
  readonly stores: readonly StoreDescriptor[];
  /** Largest partition count over its sources: tasks `<index>_0` … */
  readonly partitions: number;
}
