/** Domain ranges of a schema, checked on the value: what the bytes may say and the application must not believe. */
import { validationError } from "../errors.ts";
import { currencies } from "./currencies.ts";
import { type AvroAnnotated, type AvroField, type AvroRecord, type AvroSchema, isUnion } from "./schema.ts";

/** Throws `VALIDATION field=… reason=…`. */
export type Check = (value: unknown) => void;

/**
 * `decoded`: the types are known to be right, only ranges and finiteness are left, and undefined means nothing to check.
 * `foreign`: a value from anywhere, about to be encoded: everything is checked.
 */
export type CheckKind = "decoded" | "foreign";

export function createCheck(schema: AvroSchema, kind: CheckKind, path = ""): Check | undefined {
  if (typeof schema === "string") return primitive({ type: schema }, kind, path);
  if (isUnion(schema)) return union(schema, kind, path);
  if (schema.type === "record") return record(schema, kind, path);
  if (schema.type === "enum") return kind === "decoded" ? undefined : oneOf(new Set(schema.symbols), path);
  if (schema.type === "array") return array(createCheck(schema.items, kind, `${path}[]`), schema.maxItems, kind, path);
  if (schema.type === "map") return map(createCheck(schema.values, kind, `${path}{}`), kind, path);
  return primitive(schema, kind, path);
}

function primitive(schema: AvroAnnotated, kind: CheckKind, path: string): Check | undefined {
  if (schema.type === "int" || schema.type === "long") return integer(schema, kind, path);
  if (schema.type === "float" || schema.type === "double") return finite(schema, path);
  if (schema.type === "string") return text(schema, kind, path);
  return kind === "decoded" ? undefined : plain(schema.type, path);
}

function integer(schema: AvroAnnotated, kind: CheckKind, path: string): Check | undefined {
  const [least, most] = schema.type === "int" ? [-(2 ** 31), 2 ** 31 - 1] : [Number.MIN_SAFE_INTEGER + 1, Number.MAX_SAFE_INTEGER - 1];
  // Avro's reader has refused longs beyond that already.
  if (kind === "decoded" && schema.type === "long" && schema.minimum === undefined && schema.maximum === undefined) return undefined;
  const minimum = schema.minimum ?? least;
  const maximum = schema.maximum ?? most;
  return (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) throw validationError(path, `${shown(value)} is not an integer`);
    if (value < minimum || value > maximum) throw validationError(path, `${value} is outside ${minimum} to ${maximum}`);
  };
}

function finite(schema: AvroAnnotated, path: string): Check {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMaximum = Infinity } = schema;
  return (value) => {
    if (typeof value !== "number" || !Number.isFinite(value)) throw validationError(path, `${shown(value)} is not a finite number`);
    if (value >= minimum && value <= maximum && value < exclusiveMaximum) return;
    const end = exclusiveMaximum === Infinity ? `${maximum}` : `below ${exclusiveMaximum}`;
    throw validationError(path, `${value} is outside ${minimum} to ${end}`);
  };
}

function text(schema: AvroAnnotated, kind: CheckKind, path: string): Check | undefined {
  if (schema.format === "currency") return oneOf(currencies, path);
  if (schema.oneOf !== undefined) return oneOf(new Set(schema.oneOf), path);
  const { minLength = 0, maxLength = Infinity } = schema;
  const foreign = kind === "foreign";
  if (!foreign && minLength === 0 && maxLength === Infinity) return undefined;
  return (value) => {
    if (typeof value !== "string") throw validationError(path, `${shown(value)} is not a string`);
    if (value.length < minLength) throw validationError(path, minLength === 1 ? "empty" : `shorter than ${minLength}`);
    if (value.length > maxLength) throw validationError(path, `${value.length} characters, at most ${maxLength}`);
    // UTF-8 cannot say a lone surrogate: another string would come back.
    if (foreign && !value.isWellFormed()) throw validationError(path, "not well-formed Unicode");
  };
}

function oneOf(known: ReadonlySet<string>, path: string): Check {
  return (value) => {
    if (typeof value !== "string" || !known.has(value)) throw validationError(path, `${shown(value)} is not known`);
  };
}

function plain(type: "null" | "boolean" | "bytes", path: string): Check {
  return (value) => {
    const right = type === "null" ? value === null : type === "boolean" ? typeof value === "boolean" : Buffer.isBuffer(value);
    if (!right) throw validationError(path, `${shown(value)} is not ${type === "bytes" ? "a Buffer" : type}`);
  };
}

function record(schema: AvroRecord, kind: CheckKind, path: string): Check | undefined {
  const fields: { readonly field: AvroField; readonly check: Check }[] = [];
  for (const field of schema.fields) {
    const check = createCheck(field.type, kind, path === "" ? field.name : `${path}.${field.name}`);
    if (check !== undefined) fields.push({ field, check });
  }
  if (kind === "decoded") {
    if (fields.length === 0) return undefined;
    return (value) => {
      for (const { field, check } of fields) check((value as Record<string, unknown>)[field.name]);
    };
  }
  return (value) => {
    if (typeof value !== "object" || value === null) throw validationError(path, `${shown(value)} is not a ${schema.name}`);
    const given = value as Record<string, unknown>;
    if (schema.tagged === true && given["type"] !== schema.name)
      throw validationError(path === "" ? "type" : `${path}.type`, `${shown(given["type"])} is not ${schema.name}`);
    for (const { field, check } of fields) {
      const item = given[field.name];
      if (item !== undefined || field.default === undefined) check(item);
    }
  };
}

function array(item: Check | undefined, itemsMax: number | undefined, kind: CheckKind, path: string): Check | undefined {
  if (kind === "decoded" && item === undefined && itemsMax === undefined) return undefined;
  const most = itemsMax ?? Infinity;
  return (value) => {
    if (!Array.isArray(value)) throw validationError(path, `${shown(value)} is not an array`);
    if (value.length > most) throw validationError(path, `${value.length} items, at most ${most}`);
    if (item !== undefined) for (let index = 0; index < value.length; index++) item(value[index]);
  };
}

function map(item: Check | undefined, kind: CheckKind, path: string): Check | undefined {
  if (kind === "decoded" && item === undefined) return undefined;
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw validationError(path, `${shown(value)} is not a map`);
    for (const key of Object.keys(value)) {
      if (kind === "foreign" && forbidden(key)) throw validationError(path, `the key ${shown(key)} is forbidden`);
      item?.((value as Record<string, unknown>)[key]);
    }
  };
}

function forbidden(key: string): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype" || !key.isWellFormed();
}

function union(branches: readonly AvroSchema[], kind: CheckKind, path: string): Check | undefined {
  const checks = branches.map((branch) => createCheck(branch, kind, path));
  if (kind === "decoded" && checks.every((check) => check === undefined)) return undefined;
  const pick = branchPicker(branches);
  return (value) => {
    const index = pick(value);
    if (index < 0) throw validationError(path, `${shown(value)} is of no kind that is known here`);
    checks[index]?.(value);
  };
}

/** Which branch of a union a value belongs to: tagged records by `type`, everything else by its JavaScript type; −1 for none. */
export function branchPicker(branches: readonly AvroSchema[]): (value: unknown) => number {
  const byTag = new Map<unknown, number>();
  const byKind = new Map<string, number>();
  branches.forEach((branch, index) => {
    if (typeof branch === "object" && !isUnion(branch) && branch.type === "record" && branch.tagged === true) byTag.set(branch.name, index);
    else byKind.set(kindOfSchema(branch), index);
  });
  return (value) => {
    if (value === null) return byKind.get("null") ?? -1;
    const tagged = byTag.size > 0 && typeof value === "object" ? byTag.get((value as { readonly type?: unknown }).type) : undefined;
    return tagged ?? byKind.get(kindOfValue(value)) ?? -1;
  };
}

function kindOfSchema(schema: AvroSchema): string {
  const type = typeof schema === "string" ? schema : isUnion(schema) ? "union" : schema.type;
  if (type === "int" || type === "long" || type === "float" || type === "double") return "number";
  if (type === "enum") return "string";
  return type === "map" ? "record" : type;
}

function kindOfValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  if (Array.isArray(value)) return "array";
  return Buffer.isBuffer(value) ? "bytes" : "record";
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "symbol" || typeof value === "function" ? typeof value : String(value);
}
