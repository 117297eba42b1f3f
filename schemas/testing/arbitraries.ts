/** Random values of a schema, inside its ranges. */
import * as fc from "fast-check";
import { currencies } from "../avro/currencies.ts";
import { LONG_MAX } from "../avro/limits.ts";
import { type AvroAnnotated, type AvroSchema, type AvroValue, isUnion } from "../avro/schema.ts";

export function arbitraryOf<const S extends AvroSchema>(schema: S): fc.Arbitrary<AvroValue<S>> {
  // The arbitraries are put together by the same rules as AvroValue; the round trips check it.
  return anyOf(schema) as fc.Arbitrary<AvroValue<S>>;
}

function anyOf(schema: AvroSchema): fc.Arbitrary<unknown> {
  if (typeof schema === "string") return primitive({ type: schema });
  if (isUnion(schema)) return fc.oneof(...schema.map(anyOf));
  if (schema.type === "record") {
    const fields = Object.fromEntries(schema.fields.map((field) => [field.name, anyOf(field.type)]));
    return fc.record(schema.tagged === true ? { type: fc.constant(schema.name), ...fields } : fields, { noNullPrototype: true });
  }
  if (schema.type === "enum") return fc.constantFrom(...schema.symbols);
  if (schema.type === "array") return fc.array(anyOf(schema.items), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
  if (schema.type === "map") return fc.dictionary(mapKey, anyOf(schema.values), { maxKeys: 5, noNullPrototype: true });
  return primitive(schema);
}

const mapKey = fc.string({ unit: "grapheme", maxLength: 12 }).filter((key) => !["__proto__", "constructor", "prototype"].includes(key));

function primitive(schema: AvroAnnotated): fc.Arbitrary<unknown> {
  if (schema.type === "null") return fc.constant(null);
  if (schema.type === "boolean") return fc.boolean();
  if (schema.type === "int") return integer(schema, -(2 ** 31), 2 ** 31 - 1);
  if (schema.type === "long") return integer(schema, -LONG_MAX, LONG_MAX);
  if (schema.type === "float") return fc.float({ noNaN: true, noDefaultInfinity: true });
  if (schema.type === "string") return text(schema);
  if (schema.type === "bytes") return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  return fc
    .double({ noNaN: true, noDefaultInfinity: true, ...bounds(schema) })
    .filter((value) => value < (schema.exclusiveMaximum ?? Infinity));
}

/** Small ones often, the largest sometimes. */
function integer(schema: AvroAnnotated, least: number, most: number): fc.Arbitrary<number> {
  const { minimum = least, maximum = most } = schema;
  return fc.oneof(fc.integer({ min: minimum, max: maximum }), fc.integer({ min: Math.max(minimum, -200), max: Math.min(maximum, 200) }));
}

function bounds(schema: AvroAnnotated): { min?: number; max?: number } {
  const max = schema.maximum ?? schema.exclusiveMaximum;
  return { ...(schema.minimum === undefined ? {} : { min: schema.minimum }), ...(max === undefined ? {} : { max }) };
}

function text(schema: AvroAnnotated): fc.Arbitrary<string> {
  if (schema.format === "currency") return fc.constantFrom(...currencies);
  if (schema.oneOf !== undefined) return fc.constantFrom(...schema.oneOf);
  const length = { minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 40, 40) };
  return fc.oneof(fc.string({ unit: "grapheme-ascii", ...length }), unicode(length.minLength));
}

/** A few characters of one to four bytes, well below every length limit. */
function unicode(minLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: "binary", minLength, maxLength: 8 });
}
