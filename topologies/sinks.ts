/** The sinks of a processor, by the names of their topics. */
import type { ProcessorContext, Sink, Topic } from "#streams";

export type DispatchSinks<T> = { readonly [Name in keyof T]: T[Name] extends Topic<infer K, infer V> ? Sink<K, V> : never };

/** Of exactly these topics, all of them among the processor's sinks. Taken once, when the processor is made. */
export function dispatchSinks<T extends object>(context: ProcessorContext<never, never>, topics: T): DispatchSinks<T> {
  const sinks = Object.entries(topics).map(([name, topic]) => [name, context.sink(topic as Topic<unknown, unknown>)]);
  // Each sink is that of the topic under the same name.
  return Object.fromEntries(sinks) as DispatchSinks<T>;
}
