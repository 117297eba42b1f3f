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
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "int":
      return fc.oneof(fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 - 1 }), smallInteger(schema));
    case "long":
      return fc.oneof(fc.integer({ min: schema.minimum ?? -LONG_MAX, max: schema.maximum ?? LONG_MAX }), smallInteger(schema));
    case "float":
      return fc.float({ noNaN: true, noDefaultInfinity: true });
    case "double":
      return fc
        .double({ noNaN: true, noDefaultInfinity: true, ...bounds(schema) })
        .filter((value) => value < (schema.exclusiveMaximum ?? Infinity));
    case "string":
      return text(schema);
    case "bytes":
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  }
}

function bounds(schema: AvroAnnotated): { min?: number; max?: number } {
  const max = schema.maximum ?? schema.exclusiveMaximum;
  return { ...(schema.minimum === undefined ? {} : { min: schema.minimum }), ...(max === undefined ? {} : { max }) };
}

function smallInteger(schema: AvroAnnotated): fc.Arbitrary<number> {
  return fc.integer({ min: schema.minimum ?? -200, max: schema.maximum ?? 200 });
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
