/** The stateful step that tests run when it does not matter which: records counted by key. */
import type { KeyValueDescriptor } from "#state";
import type { ProcessOptions } from "../dsl/builder.ts";
import type { StreamRecord } from "../processor.ts";

export interface CountHooks {
  /** At each record, before anything is read or written. May throw. */
  readonly before?: (record: StreamRecord<string, string>) => void;
  /** When the new total is written and sent. May throw. */
  readonly after?: (record: StreamRecord<string, string>) => void;
}

/** For `process`: adds one to the key's total in the store and forwards the new total with the record's timestamp and headers. */
export function countByKey(
  counts: KeyValueDescriptor<string, number>,
  { before, after }: CountHooks = {},
): ProcessOptions<string, string, string, number> {
  return {
    name: "count",
    stores: [counts],
    processor: (context) => {
      const store = context.store(counts);
      return {
        process(record) {
          before?.(record);
          const { key, timestamp, headers } = record;
          const count = (store.get(key) ?? 0) + 1;
          store.put(key, count);
          context.forward({ key, value: count, timestamp, headers });
          after?.(record);
        },
      };
    },
  };
}
