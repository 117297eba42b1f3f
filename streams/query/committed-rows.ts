/** One committed row, or a range of them, of a store of any kind. The state must be one that nobody has written to. */
import type { RangeOptions, StoreDescriptor, StoreKey, TaskState, TimerStore } from "#state";

/** Undefined when there is no such row. */
export function committedRowOf(state: TaskState, descriptor: StoreDescriptor, key: StoreKey): unknown {
  return state.committed(descriptor.name, key);
}

/** At most `limit`, in the store's own order. */
export function committedRowsOf(
  state: TaskState,
  descriptor: StoreDescriptor,
  range: RangeOptions<StoreKey> & { readonly limit: number },
): readonly (readonly [StoreKey, unknown])[] {
  switch (descriptor.kind) {
    case "key-value":
      return [...state.store(descriptor).range(range)];
    case "timestamped":
      return [...state.store(descriptor).range(range)];
    case "priority-queue":
      return taken(entriesOf(state.store(descriptor).entries()), range);
    case "timers":
      return taken(duesOf(state.store(descriptor)), range);
    default:
      return descriptor satisfies never;
  }
}

function* entriesOf<V extends { readonly id: string }>(entries: Iterable<V>): Generator<readonly [string, V]> {
  for (const entry of entries) yield [entry.id, entry];
}

/** Takes the timers away one by one; only the state in hand forgets them. */
function* duesOf(timers: TimerStore): Generator<readonly [string, number]> {
  for (let next = timers.peek(); next !== undefined; next = timers.peek()) {
    yield [next.key, next.at];
    timers.cancel(next.key);
  }
}

function taken(
  rows: Iterable<readonly [string, unknown]>,
  { from, to, limit }: RangeOptions<StoreKey> & { readonly limit: number },
): readonly (readonly [StoreKey, unknown])[] {
  const found: (readonly [StoreKey, unknown])[] = [];
  if (limit <= 0) return found;
  for (const row of rows) {
    if ((from !== undefined && row[0] < String(from)) || (to !== undefined && row[0] >= String(to))) continue;
    found.push(row);
    if (found.length >= limit) break;
  }
  return found;
}
