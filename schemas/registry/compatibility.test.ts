import { describe, expect, test } from "vitest";
import type { AvroField, AvroSchema } from "../avro/schema.ts";
import { schemaText } from "../avro/schema-text.ts";
import { subjects } from "../subjects.ts";
import { type CompatibilityLevel, incompatibilities } from "./compatibility.ts";

function kind(name: string, fields: readonly AvroField[]): AvroSchema {
  return { type: "record", name, namespace: "dispatch.v1", tagged: true, fields };
}
const id: AvroField = { name: "id", type: "string" };
const at: AvroField = { name: "at", type: "long" };
const note: AvroField = { name: "note", type: ["null", "string"], default: null };
const needed: AvroField = { name: "needed", type: "int" };
const shade = (symbols: readonly string[], more: { readonly default?: string } = {}): AvroField => ({
  name: "shade",
  type: { type: "enum", name: "Shade", symbols, ...more },
});

const changes: readonly (readonly [string, AvroSchema, AvroSchema, { readonly backward: boolean; readonly full: boolean }])[] = [
  ["nothing", kind("A", [id, at]), kind("A", [id, at]), { backward: true, full: true }],
  ["a field with a default added", kind("A", [id]), kind("A", [id, note]), { backward: true, full: true }],
  ["a field without a default added", kind("A", [id]), kind("A", [id, needed]), { backward: false, full: false }],
  ["a required field removed", kind("A", [id, at]), kind("A", [id]), { backward: true, full: false }],
  ["a field with a default removed", kind("A", [id, note]), kind("A", [id]), { backward: true, full: true }],
  ["fields in another order", kind("A", [id, at]), kind("A", [at, id]), { backward: true, full: true }],
  ["int made long", kind("A", [{ name: "n", type: "int" }]), kind("A", [{ name: "n", type: "long" }]), { backward: true, full: false }],
  ["long made int", kind("A", [{ name: "n", type: "long" }]), kind("A", [{ name: "n", type: "int" }]), { backward: false, full: false }],
  ["a string made a number", kind("A", [id]), kind("A", [{ name: "id", type: "long" }]), { backward: false, full: false }],
  ["a field made optional", kind("A", [id]), kind("A", [{ name: "id", type: ["null", "string"] }]), { backward: true, full: false }],
  [
    "another range",
    kind("A", [{ name: "n", type: "int" }]),
    kind("A", [{ name: "n", type: { type: "int", minimum: 1 } }]),
    { backward: true, full: true },
  ],
  ["a symbol added", kind("A", [shade(["x"])]), kind("A", [shade(["x", "y"])]), { backward: true, full: false }],
  ["a symbol removed", kind("A", [shade(["x", "y"])]), kind("A", [shade(["x"])]), { backward: false, full: false }],
  ["a kind added at the end", [kind("A", [id])], [kind("A", [id]), kind("B", [at])], { backward: true, full: false }],
  ["a kind removed", [kind("A", [id]), kind("B", [at])], [kind("A", [id])], { backward: false, full: false }],
  ["a kind renamed", [kind("A", [id])], [kind("C", [id])], { backward: false, full: false }],
  ["one kind made a union with another", kind("A", [id]), [kind("A", [id]), kind("B", [at])], { backward: true, full: false }],
];

describe("a changed schema", () => {
  test.each(changes)("with %s", (_name, before, after, { backward, full }) => {
    const fits = (level: CompatibilityLevel): boolean => incompatibilities(level, schemaText(after), schemaText(before)).length === 0;
    expect({ backward: fits("BACKWARD"), full: fits("FULL") }).toEqual({ backward, full });
    expect(fits("NONE")).toBe(true);
  });

  test("is refused with the kind and the reason", () => {
    const problems = incompatibilities("FULL", schemaText(kind("A", [id, needed])), schemaText(kind("A", [id, at])));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^old data: dispatch\.v1\.A: .*needed/);
    expect(problems[1]).toMatch(/^old readers: dispatch\.v1\.A: .*at/);
  });

  test("is compatible with itself in every topic", () => {
    for (const { schema } of subjects) expect(incompatibilities("FULL", schemaText(schema), schemaText(schema))).toEqual([]);
  });
});
