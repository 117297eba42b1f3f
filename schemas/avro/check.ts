/** Domain ranges of a schema, checked on the value: what the bytes may say and the application must not believe. */
import { validationError } from "../errors.ts";
import { currencies } from "./currencies.ts";
import { LONG_MAX } from "./limits.ts";
import { type AvroAnnotated, type AvroRecord, type AvroSchema, isUnion } from "./schema.ts";

/** Throws `VALIDATION field=… reason=…`. */
export type Check = (value: unknown) => void;

/**
 * `decoded`: the types are known to be right, only ranges and finiteness are left, and undefined means nothing to check.
 * `foreign`: a value from anywhere, about to be written: everything is checked.
 */
export type CheckKind = "decoded" | "foreign";

/** The check of a decoded value, all parts of it; undefined when nothing can be wrong. */
export function createCheck(schema: AvroSchema, path = ""): Check | undefined {
  if (typeof schema === "string") return primitiveCheck({ type: schema }, "decoded", path);
  if (isUnion(schema)) return union(schema, path);
  if (schema.type === "record") return record(schema, path);
  if (schema.type === "enum") return undefined;
  if (schema.type === "array") return array(createCheck(schema.items, `${path}[]`), schema.maxItems, path);
  if (schema.type === "map") return map(createCheck(schema.values, `${path}{}`));
  return primitiveCheck(schema, "decoded", path);
}

/** The check of a primitive. */
export function primitiveCheck(schema: AvroAnnotated, kind: CheckKind, path: string): Check | undefined {
  if (schema.type === "int" || schema.type === "long") return integer(schema, kind, path);
  if (schema.type === "float" || schema.type === "double") return finite(schema, path);
  if (schema.type === "string") return text(schema, kind, path);
  return kind === "decoded" ? undefined : plain(schema.type, path);
}

function integer(schema: AvroAnnotated, kind: CheckKind, path: string): Check | undefined {
  // The guard has refused longs beyond that already.
  if (kind === "decoded" && schema.type === "long" && schema.minimum === undefined && schema.maximum === undefined) return undefined;
  const { minimum, maximum } = integerRange(schema);
  return (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) throw validationError(path, `${shown(value)} is not an integer`);
    if (value < minimum || value > maximum) throw validationError(path, `${value} is outside ${minimum} to ${maximum}`);
  };
}

/** Inclusive, of an int or a long. */
export function integerRange(schema: AvroAnnotated): { readonly minimum: number; readonly maximum: number } {
  const [least, most] = schema.type === "int" ? [-(2 ** 31), 2 ** 31 - 1] : [-LONG_MAX, LONG_MAX];
  return { minimum: schema.minimum ?? least, maximum: schema.maximum ?? most };
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

function record(schema: AvroRecord, path: string): Check | undefined {
  const names: string[] = [];
  const checks: Check[] = [];
  for (const { name, type } of schema.fields) {
    const check = createCheck(type, path === "" ? name : `${path}.${name}`);
    if (check === undefined) continue;
    names.push(name);
    checks.push(check);
  }
  if (checks.length === 0) return undefined;
  return (value) => {
    for (let index = 0; index < checks.length; index++) checks[index]?.((value as Record<string, unknown>)[names[index] as string]);
  };
}

function array(item: Check | undefined, itemsMax: number | undefined, path: string): Check | undefined {
  if (item === undefined && itemsMax === undefined) return undefined;
  return (value) => {
    const items = value as readonly unknown[];
    checkCount(items.length, itemsMax, path);
    if (item !== undefined) for (let index = 0; index < items.length; index++) item(items[index]);
  };
}

/** Throws for more items than the schema allows. */
export function checkCount(count: number, itemsMax: number | undefined, path: string): void {
  if (itemsMax !== undefined && count > itemsMax) throw validationError(path, `${count} items, at most ${itemsMax}`);
}

function map(item: Check | undefined): Check | undefined {
  if (item === undefined) return undefined;
  return (value) => {
    for (const part of Object.values(value as Record<string, unknown>)) item(part);
  };
}

function union(branches: readonly AvroSchema[], path: string): Check | undefined {
  const checks = branches.map((branch) => createCheck(branch, path));
  if (checks.every((check) => check === undefined)) return undefined;
  const pick = branchPicker(branches);
  return (value) => checks[pick(value)]?.(value);
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

/** What stands in messages for a value of unknown size. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "symbol" || typeof value === "function" ? typeof value : String(value);
}
