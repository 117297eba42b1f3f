/** Types flow from the topic descriptors through every step; the compiler is the test, each expected error must be one. */
import { expect, test } from "vitest";
import type { Serde } from "#state";
import type { ProcessorContext, StreamRecord } from "../processor.ts";
import { topic } from "../topic.ts";
import { alarms, text, textStore } from "../topology/fixtures/samples.ts";
import type { KStream } from "./builder.ts";
import { StreamsBuilder } from "./streams-builder.ts";

interface Placed {
  readonly kind: "placed";
  readonly price: number;
}
interface Cancelled {
  readonly kind: "cancelled";
  readonly reason: string;
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const json = <T>(): Serde<T> => ({
  id: "json",
  encode: (value, target, at) => at + target.write(JSON.stringify(value), at),
  decode: (bytes, start, end) => JSON.parse(bytes.toString("utf8", start, end)) as T,
});
const orders = topic({ name: "orders", key: text(), value: json<Placed | Cancelled>() });
const prices = topic({ name: "prices", key: text(), value: json<number>() });

function holds<T extends true>(): T | undefined {
  return undefined;
}

const ofNumbers = () => ({ process: (record: StreamRecord<string, number>): void => void record.value.toFixed() });

test("types flow through the stateless steps", () => {
  const stream = new StreamsBuilder().stream(orders);
  holds<Same<typeof stream, KStream<string, Placed | Cancelled>>>();
  const mapped = stream.map(({ key, value }) => ({ key: key.length, value: value.kind }));
  holds<Same<typeof mapped, KStream<number, "placed" | "cancelled">>>();
  const filtered = mapped.filter(({ key }) => key > 3).peek(({ value }) => value.length);
  holds<Same<typeof filtered, KStream<number, "placed" | "cancelled">>>();
  const keyed = stream.selectKey(({ value }) => value.kind);
  holds<Same<typeof keyed, KStream<"placed" | "cancelled", Placed | Cancelled>>>();
  const values = stream.mapValues(({ value }) => (value.kind === "placed" ? value.price : 0));
  holds<Same<typeof values, KStream<string, number>>>();
  const flat = stream.flatMap(({ key }) => key.split("").map((letter, index) => ({ key: index, value: letter })));
  holds<Same<typeof flat, KStream<number, string>>>();
  const parts = stream.split({ placed: () => true, cancelled: () => true }, { default: "others" });
  holds<Same<keyof typeof parts, "placed" | "cancelled" | "others">>();
  values.to(prices);
  // @ts-expect-error the topic carries numbers, the stream orders
  stream.to(prices);
  const merged = stream.merge(values);
  holds<Same<typeof merged, KStream<string, number | Placed | Cancelled>>>();
  // A stream of one kind fits the topic of all kinds, not the other way round.
  stream.mapValues((): Placed => ({ kind: "placed", price: 1 })).to(orders);
  // @ts-expect-error the topic takes only one of the kinds
  stream.to(topic({ name: "placed", key: text(), value: json<Placed>() }));
  // @ts-expect-error there is no such branch
  expect(parts.missing).toBeUndefined();
  const without = stream.split({ placed: () => true });
  // @ts-expect-error without a default there is no stream of the rest
  expect(without.default).toBeUndefined();
});

test("types flow into and out of processors, stores, timers and sinks", () => {
  const stream = new StreamsBuilder().stream(orders);
  const store = textStore("store");
  const processor = (context: ProcessorContext<number, string>) => {
    const states = context.store(store);
    const timers = context.store(alarms);
    const sink = context.sink(prices);
    return {
      process(record: StreamRecord<string, Placed | Cancelled>) {
        states.put(record.key, record.value.kind);
        timers.set(record.key, record.timestamp);
        if (record.value.kind === "placed") sink.send(record.key, record.value.price);
        context.forward({ ...record, key: 1, value: states.get(record.key) ?? "" });
        // @ts-expect-error the store keeps texts
        states.put(record.key, 1);
        // @ts-expect-error the topic carries numbers
        sink.send(record.key, "free");
        // @ts-expect-error the processor said that its keys are numbers
        context.forward({ ...record, value: "" });
      },
    };
  };
  const processed = stream.process({ name: "process", stores: [store, alarms], sinks: [prices], processor });
  holds<Same<typeof processed, KStream<number, string>>>();
  const ended = stream.process({
    name: "end",
    processor: () => ({
      process({ value }) {
        return void value.kind;
      },
    }),
  });
  holds<Same<typeof ended, KStream<never, never>>>();
  // @ts-expect-error a processor of numbers cannot take orders
  stream.process({ name: "wrong", processor: ofNumbers });
  expect(processed).toBeDefined();
});
