import { expect, test } from "vitest";
import { stringKey, stringSerde } from "#state";
import { TopologyTestDriver } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic } from "../topic.ts";

const at = { key: stringKey, value: stringSerde, partitions: 1 };
const [input, through, output] = ["input", "through", "output"].map((name) => topic({ name, ...at })) as [
  ReturnType<typeof topic<string, string>>,
  ReturnType<typeof topic<string, string>>,
  ReturnType<typeof topic<string, string>>,
];
const header = (key: string, value: string) => ({ key, value: Buffer.from(value) });
const trace = [header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), header("tracestate", "a=1")];

function driverOf(own?: ReturnType<typeof header>): TopologyTestDriver {
  const builder = new StreamsBuilder();
  builder.stream(input).to(through);
  builder.stream(input).process({
    name: "send",
    sinks: [output],
    processor: (context) => ({
      process: ({ key, value }) => context.sink(output).send(key, value, own === undefined ? {} : { headers: [own] }),
    }),
  });
  return new TopologyTestDriver(builder.build());
}

const keysOf = (headers: readonly { readonly key: string }[]): readonly string[] => headers.map(({ key }) => key);

test("all headers travel on where a stream ends in a topic, and the trace context where a processor sends", () => {
  const driver = driverOf();
  driver.pipe(input, "k", "v", { headers: [header("other", "x"), ...trace] });
  expect(keysOf(driver.read(through)[0]?.headers ?? [])).toEqual(["other", "traceparent", "tracestate"]);
  expect(driver.read(output)[0]?.headers).toEqual(trace);
});

test("a processor's own headers stand alone, and a record without a trace makes none", () => {
  const own = driverOf(header("mine", "1"));
  own.pipe(input, "k", "v", { headers: trace });
  expect(keysOf(own.read(output)[0]?.headers ?? [])).toEqual(["mine"]);
  const none = driverOf();
  none.pipe(input, "k", "v", { headers: [header("other", "x")] });
  expect(none.read(output)[0]?.headers).toEqual([]);
});
