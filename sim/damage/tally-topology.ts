/** What runs over damaged directories: a total and the last word of each key, and a receipt of every record that tells both. */
import { jsonSerde, keyValueStore, stringKey, stringSerde, timestampedStore } from "#state";
import { StreamsBuilder, topic } from "#streams";
import type { Topology } from "#streams";

export const APPLICATION = "tally";
export const PARTITIONS = 2;

interface Total {
  readonly count: number;
  readonly bytes: number;
}

const names = { partitions: PARTITIONS, key: stringKey, value: stringSerde };

export const words = topic<string, string>({ name: "words", ...names });
export const receipts = topic<string, string>({ name: "receipts", ...names });

const totals = keyValueStore<string, Total>({ name: "totals", key: stringKey, value: jsonSerde() });
const latest = timestampedStore<string, string>({ name: "latest", key: stringKey, value: stringSerde });
export const stores = [totals, latest] as const;

/** A word that begins so makes its key forgotten. */
const FORGET = "forget";

export function tallyTopology(): Topology {
  return topologyWith(stores);
}

/** As a version of the application before this one had it: with a store that has another serde now. */
export function olderTallyTopology(): Topology {
  const before = timestampedStore<string, { readonly word: string }>({ name: "latest", key: stringKey, value: jsonSerde() });
  const builder = new StreamsBuilder();
  builder.stream(words).process({
    name: "tally",
    stores: [totals, before],
    sinks: [receipts],
    processor: (context) => {
      const last = context.store(before);
      return { process: ({ key, value, timestamp }) => last.put(key, { value: { word: value }, timestamp }) };
    },
  });
  return builder.build();
}

function topologyWith([total, last]: typeof stores): Topology {
  const builder = new StreamsBuilder();
  builder.stream(words).process({
    name: "tally",
    stores: [total, last],
    sinks: [receipts],
    processor: (context) => {
      const [counts, lasts, toReceipts] = [context.store(total), context.store(last), context.sink(receipts)];
      return {
        process({ key, value, timestamp }) {
          const before = counts.get(key);
          const word = lasts.get(key);
          const count = { count: (before?.count ?? 0) + 1, bytes: (before?.bytes ?? 0) + value.length };
          toReceipts.send(key, receiptText(count, word?.value, value));
          if (value.startsWith(FORGET)) {
            counts.delete(key);
            lasts.delete(key);
            return;
          }
          counts.put(key, count);
          lasts.put(key, { value, timestamp });
        },
      };
    },
  });
  return builder.build();
}

function receiptText({ count, bytes }: Total, before: string | undefined, value: string): string {
  return `${count} ${bytes} ${before ?? "nothing"} then ${value}`;
}

/** The same by a plain program: what a partition of words comes to. */
export class TallyModel {
  readonly receipts: string[] = [];
  readonly #totals = new Map<string, Total>();
  readonly #latest = new Map<string, string>();

  take(key: string, value: string): void {
    const before = this.#totals.get(key);
    const count = { count: (before?.count ?? 0) + 1, bytes: (before?.bytes ?? 0) + value.length };
    this.receipts.push(`${key} ${receiptText(count, this.#latest.get(key), value)}`);
    if (value.startsWith(FORGET)) {
      this.#totals.delete(key);
      this.#latest.delete(key);
      return;
    }
    this.#totals.set(key, count);
    this.#latest.set(key, value);
  }

  /** Key → value as text, of one store. */
  rows(store: "totals" | "latest"): ReadonlyMap<string, string> {
    if (store === "latest") return this.#latest;
    return new Map([...this.#totals].map(([key, total]) => [key, JSON.stringify(total)]));
  }
}
