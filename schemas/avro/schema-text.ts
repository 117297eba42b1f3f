/** Schemas as JSON: the text that goes to the registry, and the two readings of it that the codec needs. */
import { type AvroRecord, type AvroSchema, isUnion } from "./schema.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface SchemaJsonOptions {
  /** Gives each tagged record a first field `type` whose default is the record's name: what values carry in TypeScript. */
  readonly tags?: boolean;
}

/** The schema as Avro wants it: a named type is written out where it first occurs and is a name afterwards. */
export function schemaJson(schema: AvroSchema, options: SchemaJsonOptions = {}): Json {
  return new Writer(options).write(schema, "", false);
}

/** One line, the same for equal schemas: what the registry compares and keeps. */
export function schemaText(schema: AvroSchema): string {
  return JSON.stringify(schemaJson(schema));
}

class Writer {
  readonly #options: SchemaJsonOptions;
  readonly #written = new Map<string, AvroSchema>();

  constructor(options: SchemaJsonOptions) {
    this.#options = options;
  }

  write(schema: AvroSchema, namespace: string, nested: boolean): Json {
    if (typeof schema === "string") return schema;
    if (isUnion(schema)) {
      const records = schema.filter((branch) => typeof branch === "object" && !isUnion(branch) && branch.type === "record");
      if (nested && records.length > 1) throw new TypeError("A union of several records stands only at the top of a schema.");
      return schema.map((branch) => this.write(branch, namespace, true));
    }
    if (schema.type === "record") return this.#record(schema, namespace);
    if (schema.type === "enum") return this.#named(schema, namespace, () => ({ ...schema }));
    if (schema.type === "array") return { ...schema, items: this.write(schema.items, namespace, true) };
    if (schema.type === "map") return { ...schema, values: this.write(schema.values, namespace, true) };
    return { ...schema };
  }

  #record(schema: AvroRecord, namespace: string): Json {
    return this.#named(schema, namespace, () => {
      const inner = schema.namespace ?? namespace;
      const fields: Json[] = schema.fields.map(({ name, type, default: value, doc }) => ({
        name,
        type: this.write(type, inner, true),
        ...(value === undefined ? {} : { default: value as Json }),
        ...(doc === undefined ? {} : { doc }),
      }));
      if (this.#options.tags === true && schema.tagged === true) fields.unshift(tagField(schema.name));
      return { ...schema, fields };
    });
  }

  #named(schema: AvroSchema & { readonly name: string; readonly namespace?: string }, outer: string, definition: () => Json): Json {
    const namespace = schema.namespace ?? outer;
    const name = namespace === "" ? schema.name : `${namespace}.${schema.name}`;
    const before = this.#written.get(name);
    if (before === schema) return name;
    if (before !== undefined) throw new TypeError(`Two different types are named ${name}: give one of them another name.`);
    this.#written.set(name, schema);
    return definition();
  }
}

/** An enum of one symbol, so that no field called `type` of a foreign writer can stand in for it. */
function tagField(name: string): Json {
  return { name: "type", type: { type: "enum", name: `${name}TypeTag`, symbols: [name] }, default: name };
}
