/** What `StreamsBuilder` offers in this version: the stateless DSL and the Processor API. Contract only. */
import type { StoreDescriptor } from "#state";
import type { ProcessorSupplier, StreamRecord } from "../processor.ts";
import type { Topic } from "../topic.ts";
import type { Subtopology } from "../topology/node.ts";

export interface ProcessOptions<KIn, VIn, KOut, VOut> {
  /** Mandatory, unique in the application. */
  readonly name: string;
  readonly stores?: readonly StoreDescriptor[];
  /** Topics the processor may send to by `context.sink`; several processors, also of other subtopologies, may write one topic, and a processor may write one of its own sources. */
  readonly sinks?: readonly Topic<any, any>[];
  readonly processor: ProcessorSupplier<KIn, VIn, KOut, VOut>;
}

/** A topic whose serdes take at least these types: a stream of one kind of event fits the topic of all kinds. */
export interface TopicTaking<K, V> extends Omit<Topic<any, any>, "key" | "value"> {
  readonly key: SerdeTaking<K>;
  readonly value: SerdeTaking<V>;
}

/** `encode` as a property, not a method: only so does the compiler refuse a serde of fewer kinds. */
interface SerdeTaking<T> {
  readonly id: string;
  readonly encode: (value: T, target: Buffer, at: number) => number;
}

export interface KStream<K, V> {
  filter(predicate: (record: StreamRecord<K, V>) => boolean, options?: { readonly name?: string }): KStream<K, V>;
  map<K2, V2>(
    mapper: (record: StreamRecord<K, V>) => { readonly key: K2; readonly value: V2 },
    options?: { readonly name?: string },
  ): KStream<K2, V2>;
  mapValues<V2>(mapper: (record: StreamRecord<K, V>) => V2, options?: { readonly name?: string }): KStream<K, V2>;
  flatMap<K2, V2>(
    mapper: (record: StreamRecord<K, V>) => Iterable<{ readonly key: K2; readonly value: V2 }>,
    options?: { readonly name?: string },
  ): KStream<K2, V2>;
  selectKey<K2>(selector: (record: StreamRecord<K, V>) => K2, options?: { readonly name?: string }): KStream<K2, V>;
  peek(action: (record: StreamRecord<K, V>) => void, options?: { readonly name?: string }): KStream<K, V>;
  /** Records of both, in no promised order between them. */
  merge<K2, V2>(other: KStream<K2, V2>, options?: { readonly name?: string }): KStream<K | K2, V | V2>;
  /** First matching predicate wins; unmatched records go to the branch that `default` names, else are dropped. */
  split<B extends string, D extends string = never>(
    branches: Readonly<Record<B, (record: StreamRecord<K, V>) => boolean>>,
    options?: { readonly name?: string; readonly default?: D },
  ): Readonly<Record<B | D, KStream<K, V>>>;
  process<KOut = never, VOut = never>(options: ProcessOptions<K, V, KOut, VOut>): KStream<KOut, VOut>;
  to(topic: TopicTaking<K, V>, options?: { readonly name?: string }): void;
}

export interface Builder {
  stream<K, V>(topic: Topic<K, V>): KStream<K, V>;
  /** Checks and freezes; throws TopologyError (`TOPOLOGY_INVALID`) with every problem found, at once. */
  build(): Topology;
}

/** Immutable; the runtime instantiates it once per task. */
export interface Topology {
  readonly subtopologies: readonly Subtopology[];
  /** Everything that binds state; a new stateless step does not change it. */
  manifest(): TopologyManifest;
  describe(): string;
  mermaid(): string;
}

export interface TopologyManifest {
  readonly stores: readonly {
    readonly name: string;
    readonly kind: string;
    readonly serdes: readonly string[];
    readonly subtopology: string;
    readonly partitions: number;
    /** How keys of its source topics are placed, `<partitioner>(<key serde id>)`: another one looks for rows in the wrong partition. */
    readonly partitioner: string;
  }[];
  readonly internalTopics: readonly string[];
}
