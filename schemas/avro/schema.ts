/** Avro schemas as constants, and the TypeScript type that each of them describes. */

export type AvroPrimitive = "null" | "boolean" | "int" | "long" | "float" | "double" | "string" | "bytes";

/** A primitive with attributes. Ranges are ours: Avro keeps unknown attributes as metadata, our serde checks them both ways. */
export interface AvroAnnotated {
  readonly type: AvroPrimitive;
  readonly logicalType?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** The value is below it. */
  readonly exclusiveMaximum?: number;
  /** UTF-16 units. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: "currency";
  /** The only strings possible: an enum for symbols that Avro does not allow as names. */
  readonly oneOf?: readonly string[];
}
export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  /** Given to readers of data written before the field existed. A union's default is of its first branch. */
  readonly default?: unknown;
  readonly doc?: string;
}
export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  /** In TypeScript its values carry `type: "<name>"`; in Avro the name is the union branch, never a field. */
  readonly tagged?: true;
  readonly fields: readonly AvroField[];
}
export interface AvroEnum {
  readonly type: "enum";
  readonly name: string;
  readonly symbols: readonly string[];
  /** What a reader makes of a symbol that it does not know. */
  readonly default?: string;
}
export interface AvroArray {
  readonly type: "array";
  readonly items: AvroSchema;
  readonly maxItems?: number;
}
export interface AvroMap {
  readonly type: "map";
  readonly values: AvroSchema;
}

/**
 * A schema is written as one constant. A named type used several times is the same constant each time: `schemaText` writes it
 * once and then by its name.
 */
export type AvroSchema = AvroPrimitive | AvroAnnotated | AvroRecord | AvroEnum | AvroArray | AvroMap | readonly AvroSchema[];

/** The TypeScript type of a schema's values; unknown for a schema that is known only at run time. */
export type AvroValue<S> = AvroSchema extends S ? unknown : ValueOf<S>;

type ValueOf<S> = S extends "null"
  ? null
  : S extends "boolean"
    ? boolean
    : S extends "int" | "long" | "float" | "double"
      ? number
      : S extends "string"
        ? string
        : S extends "bytes"
          ? Buffer
          : S extends readonly (infer Branch)[]
            ? ValueOf<Branch>
            : S extends { readonly type: "record"; readonly fields: infer Fields }
              ? RecordValue<S, Fields>
              : S extends { readonly type: "enum"; readonly symbols: readonly (infer Symbol)[] }
                ? Symbol
                : S extends { readonly type: "array"; readonly items: infer Items }
                  ? readonly ValueOf<Items>[]
                  : S extends { readonly type: "map"; readonly values: infer Values }
                    ? Readonly<Record<string, ValueOf<Values>>>
                    : S extends { readonly type: "string"; readonly oneOf: readonly (infer Symbol)[] }
                      ? Symbol
                      : S extends { readonly type: infer Primitive }
                        ? ValueOf<Primitive>
                        : never;

type RecordValue<S, Fields> = Flat<
  (S extends { readonly tagged: true; readonly name: infer Name } ? { readonly type: Name } : unknown) &
    (Fields extends readonly AvroField[] ? { readonly [Field in Fields[number] as Field["name"]]: ValueOf<Field["type"]> } : never)
>;
type Flat<T> = { [Key in keyof T]: T[Key] };

/** Branches of a top-level union, or the schema itself. */
export function branchesOf(schema: AvroSchema): readonly AvroSchema[] {
  return isUnion(schema) ? schema : [schema];
}

/** Narrowing that `Array.isArray` does not do for readonly arrays. */
export function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}
