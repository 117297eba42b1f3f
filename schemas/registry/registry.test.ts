import { describe, expect, test } from "vitest";
import { createSerdes, storeSerde } from "../serdes.ts";
import { subjects, topicSchemas } from "../subjects.ts";
import { schemaText } from "../avro/schema-text.ts";
import { type SchemaLogPort, logRegistry } from "./log-registry.ts";
import { memoryRegistry } from "./memory-registry.ts";

/** A log of one compacted topic; what was appended stays when a registry on it is made again. */
class OneTopic implements SchemaLogPort {
  readonly records: (readonly [string, string])[] = [];
  failures = 0;

  readAll(): Promise<Iterable<readonly [string, string]>> {
    // Compaction keeps the last of a key, and its place in the order.
    return Promise.resolve(this.records.filter(([key], index) => !this.records.slice(index + 1).some(([later]) => later === key)));
  }

  append(key: string, value: string): Promise<void> {
    if (this.failures-- > 0) return Promise.reject(new Error("disk full"));
    this.records.push([key, value]);
    return Promise.resolve();
  }
}

const seen = { type: "record", name: "Seen", fields: [{ name: "id", type: "string" }] } as const;
const seenAt = { type: "record", name: "Seen", fields: [...seen.fields, { name: "at", type: "long", default: 0 }] } as const;
const broken = { type: "record", name: "Seen", fields: [...seen.fields, { name: "at", type: "long" }] } as const;

describe("a registry in memory", () => {
  test("gives topics the same ids in every run, and later schemas the next ones", () => {
    const [one, other] = [memoryRegistry(), memoryRegistry()];
    expect(one.all()).toEqual(other.all());
    expect(one.all().map(({ id, subject }) => [id, subject])).toEqual(subjects.map(({ subject }, index) => [index + 1, subject]));
    expect(one.register("seen-value", schemaText(seen))).toBe(subjects.length + 1);
    expect(one.register("seen-value", schemaText(seen))).toBe(subjects.length + 1);
    expect(one.register("seen-value", schemaText(seenAt))).toBe(subjects.length + 2);
    expect(one.latest("seen-value")).toMatchObject({ version: 2, schema: schemaText(seenAt) });
    expect(one.schemaById(subjects.length + 1)).toBe(schemaText(seen));
    expect(one.schemaById(99)).toBeUndefined();
    expect(one.latest("nobody")).toBeUndefined();
  });

  test("gives the same schema the same id under another subject", () => {
    const registry = memoryRegistry();
    expect(registry.register("b-value", schemaText(seen))).toBe(registry.register("a-value", schemaText(seen)));
  });

  test("refuses what is incompatible with the subject's last schema, and what is no schema", () => {
    const registry = memoryRegistry();
    registry.register("seen-value", schemaText(seen));
    expect(() => registry.register("seen-value", schemaText(broken))).toThrow(expect.objectContaining({ code: "SCHEMA_INCOMPATIBLE" }));
    expect(registry.register("seen-value", schemaText(broken), "NONE")).toBe(subjects.length + 2);
    const bad = [
      "",
      "{",
      "nonsense",
      '{"type":"record"}',
      "[]",
      '{"type":"record","name":"__proto__","fields":[]}',
      `"${"x".repeat(70_000)}"`,
      "[".repeat(5_000) + "]".repeat(5_000),
    ];
    for (const text of bad)
      expect(() => registry.register("bad", text), text.slice(0, 20)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });

  test("hands everything to another thread", () => {
    const first = memoryRegistry();
    first.register("seen-value", schemaText(seen));
    const second = memoryRegistry({ loaded: structuredClone(first.all()) });
    expect(second.all()).toEqual(first.all());
    const bytes = Buffer.alloc(200);
    const end = createSerdes(first).orders.encode(
      { type: "OrderCancelled", eventId: "e", orderId: "o", occurredAt: 1, version: 1, reason: "" },
      bytes,
      0,
    );
    expect(createSerdes(second).orders.decode(bytes, 0, end)).toMatchObject({ orderId: "o" });
  });
});

describe("a registry on a log", () => {
  test("has the ids of a registry in memory, and keeps them", async () => {
    const log = new OneTopic();
    const first = await logRegistry(log);
    expect(first.all()).toEqual(memoryRegistry().all());
    const id = first.register("seen-value", schemaText(seen));
    await first.flush();
    expect(log.records).toHaveLength(subjects.length + 1);
    const again = await logRegistry(log);
    expect(again.register("other-value", schemaText(seen))).toBe(id);
    expect(again.all().slice(0, -1)).toEqual(first.all());
    await again.flush();
    expect(log.records.map(([key]) => key).slice(-2)).toEqual(["seen-value/1", "other-value/1"]);
  });

  test("reads with the schema that an earlier program wrote by", async () => {
    const log = new OneTopic();
    const before = await logRegistry(log);
    const bytes = Buffer.alloc(100);
    const end = storeSerde({ name: "seen", schema: seen, registry: before }).encode({ id: "x" }, bytes, 0);
    await before.flush();
    const after = await logRegistry(log);
    expect(storeSerde({ name: "seen", schema: seenAt, registry: after }).decode(bytes, 0, end)).toEqual({ id: "x", at: 0 });
  });

  test("appends again what a failed flush left, in order and once", async () => {
    const log = new OneTopic();
    log.failures = 1;
    const registry = await logRegistry(log);
    await expect(registry.flush()).rejects.toThrow("disk full");
    await Promise.all([registry.flush(), registry.flush()]);
    expect(log.records.map(([key]) => key)).toEqual(subjects.map(({ subject }) => `${subject}/1`));
  });

  test("refuses a topic that holds something else, and schemas that the program cannot follow", async () => {
    const log = new OneTopic();
    for (const value of ['{"id":1}', "null", "no JSON"]) {
      await log.append("k", value);
      await expect(logRegistry(log)).rejects.toMatchObject({ code: "SCHEMA_INVALID" });
    }
    const foreign = new OneTopic();
    const schema = schemaText({ ...topicSchemas.driverLocations.schema, fields: [{ name: "gone", type: "string" }] });
    await foreign.append("x", JSON.stringify({ id: 1, subject: topicSchemas.driverLocations.subject, version: 1, schema }));
    await expect(logRegistry(foreign)).rejects.toMatchObject({ code: "SCHEMA_INCOMPATIBLE" });
  });
});
