/** Stateless operators against arrays: random graphs give what a recomputation of each stream by hand gives. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonSerde, stringKey } from "#state";
import type { KStream } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { StreamRecord } from "../processor.ts";
import { TopologyTestDriver } from "../testing/topology-test-driver.ts";
import { topic } from "../topic.ts";

type Numbers = StreamRecord<string, number>;
type Stream = KStream<string, number>;

const numbers = (name: string) => topic({ name, key: stringKey, value: jsonSerde<number>(), partitions: 1 });
const left = numbers("left");
const right = numbers("right");

/** A stream, and by plain arrays what it carries for one input record. */
interface Modelled {
  readonly stream: Stream;
  readonly model: (source: string, record: Numbers) => readonly Numbers[];
  /** Behind a merge the order within one input record is that of the graph, not of any array. */
  readonly merged: boolean;
}

interface Step {
  readonly operator: "filter" | "map" | "mapValues" | "flatMap" | "selectKey" | "peek" | "merge" | "split" | "splitRest";
  readonly from: number;
  readonly other: number;
  readonly number: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  operator: fc.constantFrom("filter", "map", "mapValues", "flatMap", "selectKey", "peek", "merge", "split", "splitRest"),
  from: fc.nat(100),
  other: fc.nat(100),
  number: fc.nat(3),
});
const record: fc.Arbitrary<readonly [string, Numbers]> = fc.tuple(
  fc.constantFrom("left", "right"),
  fc.record({
    key: fc.constantFrom("a", "b", "c"),
    value: fc.integer({ min: -5, max: 5 }),
    timestamp: fc.nat(1_000),
    headers: fc.constantFrom([], [{ key: "h", value: null }]),
  }),
);

/** Never −0, which has no JSON of its own. */
const times = (value: number, factor: number): number => value * factor + 0;
const odd = ({ value }: Numbers): boolean => value % 2 !== 0;

function apply(streams: readonly Modelled[], { operator, from, other, number }: Step): Modelled | undefined {
  const parent = streams[from % streams.length];
  const partner = streams[other % streams.length];
  if (parent === undefined || partner === undefined) return undefined;
  const { stream, merged } = parent;
  const each = (next: Stream, to: (record: Numbers) => readonly Numbers[]): Modelled => ({
    stream: next,
    merged,
    model: (source, record) => parent.model(source, record).flatMap(to),
  });
  const below = ({ value }: Numbers): boolean => value < number;
  const mapper = ({ key, value }: Numbers) => ({ key: `${key}${number}`, value: value + number });
  const copies = (record: Numbers) => Array.from({ length: number }, (_, index) => ({ key: record.key, value: record.value * 10 + index }));
  switch (operator) {
    case "filter":
      return each(stream.filter(below), (record) => (below(record) ? [record] : []));
    case "map":
      return each(stream.map(mapper), (record) => [{ ...record, ...mapper(record) }]);
    case "mapValues":
      return each(
        stream.mapValues(({ value }) => times(value, number)),
        (record) => [{ ...record, value: times(record.value, number) }],
      );
    case "flatMap":
      return each(stream.flatMap(copies), (record) => copies(record).map((copy) => ({ ...record, ...copy })));
    case "selectKey":
      return each(
        stream.selectKey(({ value }) => String(value)),
        (record) => [{ ...record, key: String(record.value) }],
      );
    case "peek":
      return each(
        stream.peek(() => {}),
        (record) => [record],
      );
    case "merge":
      return {
        stream: stream.merge(partner.stream),
        merged: true,
        // A stream merged with itself is one parent, and a record comes once.
        model: (source, record) => [...parent.model(source, record), ...(partner === parent ? [] : partner.model(source, record))],
      };
    case "split":
      return each(stream.split({ below, odd }).odd, (record) => (!below(record) && odd(record) ? [record] : []));
    case "splitRest":
      return each(stream.split({ below, odd }, { default: "rest" }).rest, (record) => (!below(record) && !odd(record) ? [record] : []));
    default:
      return operator satisfies never;
  }
}

const plain = ({ key, value, timestamp, headers }: Numbers): Numbers => ({ key, value, timestamp, headers });
const sorted = (records: readonly Numbers[]): readonly string[] => records.map((record) => JSON.stringify(record)).sort();

describe("stateless operators", () => {
  test("random graphs give what arrays give", () => {
    const property = fc.property(fc.array(step, { maxLength: 12 }), fc.array(record, { maxLength: 12 }), (steps, records) => {
      const builder = new StreamsBuilder();
      const streams: Modelled[] = [left, right].map((source) => ({
        stream: builder.stream(source),
        merged: false,
        model: (name, record) => (name === source.name ? [record] : []),
      }));
      for (const one of steps) {
        const next = apply(streams, one);
        if (next !== undefined) streams.push(next);
      }
      const outputs = streams.map((_, index) => numbers(`out-${index}`));
      for (const [index, { stream }] of streams.entries()) stream.to(outputs[index] ?? left);
      const driver = new TopologyTestDriver(builder.build());
      for (const [name, { key, value, timestamp, headers }] of records) {
        driver.pipe(name === "left" ? left : right, key, value, { timestamp, headers });
        for (const [index, { model, merged }] of streams.entries()) {
          const seen = driver.read(outputs[index] ?? left).map((record): Numbers => plain(record));
          const expected = model(name, { key, value, timestamp, headers });
          if (merged) expect(sorted(seen)).toEqual(sorted(expected));
          else expect(seen).toEqual(expected);
        }
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("the first branch that accepts a record gets it, alone; without a default the rest is dropped", () => {
    const builder = new StreamsBuilder();
    const { small, even } = builder
      .stream(left)
      .split({ small: ({ value }) => value < 3, even: ({ value }) => value % 2 === 0 }, { name: "sizes" });
    const [smalls, evens] = [numbers("smalls"), numbers("evens")];
    small.to(smalls);
    even.to(evens);
    const driver = new TopologyTestDriver(builder.build());
    for (const value of [1, 2, 3, 4, 5]) driver.pipe(left, "k", value);
    expect([driver.readValues(smalls), driver.readValues(evens)]).toEqual([[1, 2], [4]]);
  });

  test("a record goes depth-first: one child has it through before the next sees it", () => {
    const seen: string[] = [];
    const builder = new StreamsBuilder();
    const source = builder.stream(left);
    const first = source
      .flatMap(() => [
        { key: "x", value: 1 },
        { key: "y", value: 2 },
      ])
      .peek(({ key }) => seen.push(`first ${key}`));
    first.peek(({ key }) => seen.push(`below ${key}`));
    source.peek(({ key }) => seen.push(`second ${key}`));
    new TopologyTestDriver(builder.build()).pipe(left, "k", 0);
    expect(seen).toEqual(["first x", "below x", "first y", "below y", "second k"]);
  });
});
