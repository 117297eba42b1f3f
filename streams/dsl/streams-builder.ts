/** Where a topology begins. */
import { TopologyError } from "../errors.ts";
import type { Topic } from "../topic.ts";
import { BuiltTopology } from "../topology/built-topology.ts";
import { checkGraph } from "../topology/check-graph.ts";
import { cutAtTopics } from "../topology/cut.ts";
import { TopologyGraph } from "../topology/topology-graph.ts";
import type { Builder, KStream, Topology } from "./builder.ts";
import { Stream } from "./stream.ts";

/** Collects steps; `build` may be called again after more were added and answers a new topology each time. */
export class StreamsBuilder implements Builder {
  readonly #graph = new TopologyGraph();

  /** Asked twice for one topic, it answers two streams of the same source. */
  stream<K, V>(topic: Topic<K, V>): KStream<K, V> {
    return new Stream(this.#graph, this.#graph.source(topic), false);
  }

  build(): Topology {
    const problems = checkGraph(this.#graph);
    if (problems.length > 0) throw new TopologyError("TOPOLOGY_INVALID", problems);
    return new BuiltTopology(cutAtTopics(this.#graph.nodes));
  }
}
