/** A stream as the DSL sees it: a place in the graph from which the next step hangs. */
import {
  filtering,
  flatMapping,
  mapping,
  mappingValues,
  passing,
  peeking,
  selectingKey,
  splitting,
} from "../operators/stateless-operators.ts";
import type { ProcessorSupplier, StreamRecord } from "../processor.ts";
import type { Topic } from "../topic.ts";
import type { DraftNode, TopologyGraph } from "../topology/topology-graph.ts";
import type { KStream, ProcessOptions, TopicTaking } from "./builder.ts";

type Named = { readonly name?: string } | undefined;

/** Made by StreamsBuilder; every verb adds one node and answers the stream behind it. */
export class Stream<K, V> implements KStream<K, V> {
  readonly graph: TopologyGraph;
  readonly node: DraftNode;
  /** Keys may have changed since the source: what needs records by key must repartition first. */
  readonly repartitionNeeded: boolean;

  constructor(graph: TopologyGraph, node: DraftNode, repartitionNeeded: boolean) {
    this.graph = graph;
    this.node = node;
    this.repartitionNeeded = repartitionNeeded;
  }

  filter(predicate: (record: StreamRecord<K, V>) => boolean, options?: Named): KStream<K, V> {
    return this.#keepingKey("filter", filtering(predicate), options);
  }

  map<K2, V2>(mapper: (record: StreamRecord<K, V>) => { readonly key: K2; readonly value: V2 }, options?: Named): KStream<K2, V2> {
    return this.#changingKey("map", mapping(mapper), options);
  }

  mapValues<V2>(mapper: (record: StreamRecord<K, V>) => V2, options?: Named): KStream<K, V2> {
    return this.#keepingKey("map-values", mappingValues(mapper), options);
  }

  flatMap<K2, V2>(
    mapper: (record: StreamRecord<K, V>) => Iterable<{ readonly key: K2; readonly value: V2 }>,
    options?: Named,
  ): KStream<K2, V2> {
    return this.#changingKey("flat-map", flatMapping(mapper), options);
  }

  selectKey<K2>(selector: (record: StreamRecord<K, V>) => K2, options?: Named): KStream<K2, V> {
    return this.#changingKey("select-key", selectingKey(selector), options);
  }

  peek(action: (record: StreamRecord<K, V>) => void, options?: Named): KStream<K, V> {
    return this.#keepingKey("peek", peeking(action), options);
  }

  merge<K2, V2>(other: KStream<K2, V2>, options?: Named): KStream<K | K2, V | V2> {
    const name = options?.name ?? this.graph.generatedName("merge");
    const parents = [this.node];
    let repartitionNeeded = this.repartitionNeeded;
    if (other instanceof Stream && other.graph === this.graph) {
      parents.push(other.node);
      repartitionNeeded ||= other.repartitionNeeded;
    } else {
      this.graph.problems.push(`"${name}" merges a stream of another builder: make both from one`);
    }
    return new Stream(this.graph, this.graph.processor({ name, supplier: passing() }, parents), repartitionNeeded);
  }

  split<B extends string, D extends string = never>(
    branches: Readonly<Record<B, (record: StreamRecord<K, V>) => boolean>>,
    options?: { readonly name?: string; readonly default?: D },
  ): Readonly<Record<B | D, KStream<K, V>>> {
    const name = options?.name ?? this.graph.generatedName("split");
    const child = (branch: string): string => `${name}-${branch}`;
    const names = Object.keys(branches) as B[];
    const predicates = names.map((branch) => ({ child: child(branch), predicate: branches[branch] }));
    const otherwise = options?.default;
    const supplier = splitting(predicates, otherwise === undefined ? undefined : child(otherwise));
    const node = this.graph.processor({ name, supplier }, [this.node]);
    const streams: Partial<Record<B | D, KStream<K, V>>> = {};
    for (const branch of otherwise === undefined ? names : [...names, otherwise]) {
      const draft = this.graph.processor({ name: child(branch), supplier: passing() }, [node]);
      streams[branch] = new Stream<K, V>(this.graph, draft, this.repartitionNeeded);
    }
    // Every key of B and D has been set.
    return Object.freeze(streams) as Readonly<Record<B | D, KStream<K, V>>>;
  }

  process<KOut = never, VOut = never>(options: ProcessOptions<K, V, KOut, VOut>): KStream<KOut, VOut> {
    const { name, stores = [], sinks = [], processor } = options;
    const node = this.graph.processor({ name, supplier: processor, stores, sinks, changesKey: true }, [this.node]);
    return new Stream(this.graph, node, true);
  }

  to(topic: TopicTaking<K, V>, options?: Named): void {
    // The descriptor is whole; its type only says what it must be able to take.
    this.graph.sink(options?.name ?? this.graph.generatedName("to"), topic as Topic<unknown, unknown>, this.node);
  }

  #keepingKey<V2>(operator: string, supplier: ProcessorSupplier<K, V, K, V2>, options: Named): KStream<K, V2> {
    const name = options?.name ?? this.graph.generatedName(operator);
    return new Stream(this.graph, this.graph.processor({ name, supplier }, [this.node]), this.repartitionNeeded);
  }

  #changingKey<K2, V2>(operator: string, supplier: ProcessorSupplier<K, V, K2, V2>, options: Named): KStream<K2, V2> {
    const name = options?.name ?? this.graph.generatedName(operator);
    return new Stream(this.graph, this.graph.processor({ name, supplier, changesKey: true }, [this.node]), true);
  }
}
