/** What the document of the API says of values that have an Avro schema: written once, there. */
import { branchesOf, isUnion, type AvroAnnotated, type AvroRecord, type AvroSchema } from "#schemas";

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface JsonSchemaOptions {
  /** Fields of the outermost record that the sender may leave out. */
  readonly optional?: (record: string, field: string) => boolean;
}

/** JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
export function jsonSchemaOf(schema: AvroSchema, options: JsonSchemaOptions = {}): JsonSchema {
  if (typeof schema === "string") return primitive({ type: schema });
  if (isUnion(schema)) return unionOf(schema, options);
  if (schema.type === "record") return recordOf(schema, options);
  if (schema.type === "enum") return { type: "string", enum: schema.symbols };
  if (schema.type === "array")
    return { type: "array", items: jsonSchemaOf(schema.items), ...(schema.maxItems === undefined ? {} : { maxItems: schema.maxItems }) };
  if (schema.type === "map") return { type: "object", additionalProperties: jsonSchemaOf(schema.values) };
  return primitive(schema);
}

function unionOf(schema: readonly AvroSchema[], options: JsonSchemaOptions): JsonSchema {
  const branches = branchesOf(schema);
  const [first, second, ...rest] = branches;
  if (first === "null" && second !== undefined && rest.length === 0) return { anyOf: [jsonSchemaOf(second, options), { type: "null" }] };
  return { oneOf: branches.map((branch) => jsonSchemaOf(branch, options)) };
}

function recordOf(record: AvroRecord, { optional }: JsonSchemaOptions): JsonSchema {
  const { name, fields, tagged } = record;
  const properties = Object.fromEntries(fields.map((field) => [field.name, jsonSchemaOf(field.type)]));
  const required = fields.map((field) => field.name).filter((field) => optional?.(name, field) !== true);
  return {
    type: "object",
    ...(tagged === true ? { title: name } : {}),
    additionalProperties: false,
    properties: tagged === true ? { type: { const: name }, ...properties } : properties,
    required: tagged === true && optional?.(name, "type") !== true ? ["type", ...required] : required,
  };
}

function primitive({
  type,
  minimum,
  maximum,
  exclusiveMaximum,
  minLength,
  maxLength,
  format,
  oneOf,
  logicalType,
}: AvroAnnotated): JsonSchema {
  const range = {
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(exclusiveMaximum === undefined ? {} : { exclusiveMaximum }),
  };
  switch (type) {
    case "int":
    case "long":
      return { type: "integer", ...(logicalType === undefined ? {} : { description: "milliseconds since the epoch, UTC" }), ...range };
    case "float":
    case "double":
      return { type: "number", ...range };
    case "string":
      return {
        type: "string",
        ...(minLength === undefined ? {} : { minLength }),
        ...(maxLength === undefined ? {} : { maxLength }),
        ...(oneOf === undefined ? {} : { enum: oneOf }),
        ...(format === undefined ? {} : { description: "ISO 4217 code of a currency in use" }),
      };
    case "bytes":
      return { type: "string", contentEncoding: "base64" };
    case "boolean":
    case "null":
      return { type };
    default:
      return type satisfies never;
  }
}
