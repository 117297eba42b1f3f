import { describe, expect, test } from "vitest";
import type { TopologyManifest } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { TopologyError } from "../errors.ts";
import { alarms, idle, text, texts, textStore } from "./fixtures/samples.ts";
import { diffManifest, migrationOf } from "./manifest-difference.ts";
import { decodeManifest, encodeManifest } from "./manifest-row.ts";

const orders = texts("orders");

function manifest(declare: (builder: StreamsBuilder) => void): TopologyManifest {
  const builder = new StreamsBuilder();
  declare(builder);
  return builder.build().manifest();
}

const original = manifest((builder) => {
  builder.stream(orders).process({ name: "jobs", stores: [textStore("jobs"), alarms], processor: idle });
});

const lines = (old: TopologyManifest, now: TopologyManifest): string[] => diffManifest(old, now).map(({ text }) => text);

describe("manifest", () => {
  test("names what binds state, stores by name", () => {
    const partitioning = { subtopology: "jobs", partitions: 3, partitioner: "murmur2(text)" };
    expect(original).toEqual({
      stores: [
        { name: "alarms", kind: "timers/wall", serdes: [], ...partitioning },
        { name: "jobs", kind: "key-value", serdes: ["text", "text"], ...partitioning },
      ],
      internalTopics: [],
    });
  });

  test("a new stateless step, another order of stores or a wider topic beside them do not change it", () => {
    const changed = manifest((builder) => {
      const stream = builder.stream(orders).filter(() => true);
      stream.merge(builder.stream(texts("wide", { partitions: 9 }))).to(texts("copies"));
      stream.process({ name: "jobs", stores: [alarms, textStore("jobs")], processor: idle });
    });
    expect(changed).toEqual(original);
  });

  test("survives its row", () => {
    expect(decodeManifest(encodeManifest(original))).toEqual(original);
  });

  test.each([
    "",
    "no json",
    "[]",
    "null",
    '{"version":9}',
    '{"version":1,"stores":[{"name":1}],"internalTopics":[]}',
    '{"version":1,"stores":[]}',
  ])("refuses a row that says %j", (row) => {
    expect(() => decodeManifest(Buffer.from(row))).toThrow(expect.objectContaining({ code: "MANIFEST_UNREADABLE" }));
  });
});

/** The last line of a refusal. */
const remedy = (old: TopologyManifest, now: TopologyManifest, dropStores: readonly string[] = []): string => {
  try {
    migrationOf(old, now, { dropStores });
    return "";
  } catch (error) {
    return error instanceof TopologyError ? (error.problems.at(-1) ?? "") : "?";
  }
};

describe("the difference between two manifests", () => {
  const changed = manifest((builder) => {
    const narrow = texts("orders", { partitions: 2, key: text("long"), partitioner: { name: "cell", partition: () => 0 } });
    builder.stream(narrow).process({ name: "jobs", stores: [textStore("jobs", text("v2")), textStore("trips")], processor: idle });
  });

  test("is one line per fact, stores by name", () => {
    expect(lines(original, original)).toEqual([]);
    expect(lines(original, changed)).toEqual([
      "store alarms: removed (timers/wall, 3 partitions by murmur2(text))",
      "store jobs: serdes [text, text] → [text, v2]",
      "store jobs: partitions 3 → 2",
      "store jobs: partitioner murmur2(text) → cell(long)",
      "store trips: added (key-value, text, text, 2 partitions by cell(long))",
    ]);
    expect(lines({ stores: [], internalTopics: ["old", "kept"] }, { stores: [], internalTopics: ["kept", "new"] })).toEqual([
      "internal topic new: added",
      "internal topic old: removed",
    ]);
  });

  test("says what to type, with what was allowed already and without what cannot be", () => {
    expect(remedy(original, changed)).toMatch(/: start with --migrate drop-store=alarms --migrate drop-store=jobs$/);
    expect(remedy(original, changed, ["jobs", "none"])).toMatch(/: start with --migrate drop-store=alarms --migrate drop-store=jobs$/);
    expect(remedy({ stores: [], internalTopics: ["old"] }, { stores: [], internalTopics: [] })).toMatch(/restore that one$/);
  });

  test("blocks until every removed or changed store is dropped by name; what was only added does not", () => {
    const problems = (dropStores: readonly string[]): readonly string[] => {
      try {
        migrationOf(original, changed, { dropStores });
        return [];
      } catch (error) {
        return error instanceof TopologyError && error.code === "MANIFEST_MISMATCH"
          ? error.problems.map((line) => line.split(" ", 3).join(" "))
          : ["?"];
      }
    };
    expect(migrationOf(original, original)).toEqual({ drop: [] });
    expect(
      migrationOf(
        manifest((builder) => builder.stream(orders).to(orders)),
        original,
      ),
    ).toEqual({ drop: [] });
    expect(problems(["jobs"])).toEqual(["store alarms: removed", "the state was"]);
    expect(problems(["jobs", "alarms", "none"])).toEqual(["store none: asked", "the state was"]);
    expect(migrationOf(original, changed, { dropStores: ["jobs", "alarms"] })).toEqual({ drop: ["alarms", "jobs"] });
  });
});
