/** The stateless operators as processor suppliers: each is the whole meaning of one DSL verb. */
import type { ProcessorSupplier, StreamRecord } from "../processor.ts";

/** Forwards what the predicate accepts, as it is. */
export function filtering<K, V>(predicate: (record: StreamRecord<K, V>) => boolean): ProcessorSupplier<K, V, K, V> {
  return (context) => ({
    process(record) {
      if (predicate(record)) context.forward(record);
    },
  });
}

/** One record in, one out; timestamp and headers stay. */
export function mapping<K, V, K2, V2>(
  mapper: (record: StreamRecord<K, V>) => { readonly key: K2; readonly value: V2 },
): ProcessorSupplier<K, V, K2, V2> {
  return (context) => ({
    process(record) {
      const { key, value } = mapper(record);
      context.forward({ key, value, timestamp: record.timestamp, headers: record.headers });
    },
  });
}

/** Another value under the same key. */
export function mappingValues<K, V, V2>(mapper: (record: StreamRecord<K, V>) => V2): ProcessorSupplier<K, V, K, V2> {
  return (context) => ({
    process(record) {
      context.forward({ key: record.key, value: mapper(record), timestamp: record.timestamp, headers: record.headers });
    },
  });
}

/** One record in, any number out in the order of the iterable; timestamp and headers stay. */
export function flatMapping<K, V, K2, V2>(
  mapper: (record: StreamRecord<K, V>) => Iterable<{ readonly key: K2; readonly value: V2 }>,
): ProcessorSupplier<K, V, K2, V2> {
  return (context) => ({
    process(record) {
      for (const { key, value } of mapper(record)) context.forward({ key, value, timestamp: record.timestamp, headers: record.headers });
    },
  });
}

/** The same value under another key. */
export function selectingKey<K, V, K2>(selector: (record: StreamRecord<K, V>) => K2): ProcessorSupplier<K, V, K2, V> {
  return (context) => ({
    process(record) {
      context.forward({ key: selector(record), value: record.value, timestamp: record.timestamp, headers: record.headers });
    },
  });
}

/** Shows each record to the action, then forwards it. */
export function peeking<K, V>(action: (record: StreamRecord<K, V>) => void): ProcessorSupplier<K, V, K, V> {
  return (context) => ({
    process(record) {
      action(record);
      context.forward(record);
    },
  });
}

/** Forwards to the child of the first predicate that accepts, else to `otherwise`, else nowhere. */
export function splitting<K, V>(
  branches: readonly { readonly child: string; readonly predicate: (record: StreamRecord<K, V>) => boolean }[],
  otherwise: string | undefined,
): ProcessorSupplier<K, V, K, V> {
  return (context) => ({
    process(record) {
      for (const { child, predicate } of branches) {
        if (predicate(record)) return context.forward(record, child);
      }
      if (otherwise !== undefined) context.forward(record, otherwise);
    },
  });
}

/** The point where several streams become one (merge) or one of several begins (a branch of a split). */
export function passing<K, V>(): ProcessorSupplier<K, V, K, V> {
  return (context) => ({
    process(record) {
      context.forward(record);
    },
  });
}
