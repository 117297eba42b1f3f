/**
 * Writes values as Avro bodies, each part checked just before it is written. avsc could write them too, but writes behind the end
 * of short strings that are not ASCII, has no ranges, and would need a second pass for the checks: see docs/decisions/0003.
 */
import { validationError } from "../errors.ts";
import { type Check, branchPicker, checkCount, integerRange, primitiveCheck, shown } from "./check.ts";
import {
  type AvroAnnotated,
  type AvroArray,
  type AvroEnum,
  type AvroMap,
  type AvroPrimitive,
  type AvroRecord,
  type AvroSchema,
  isUnion,
} from "./schema.ts";

type Write = (value: unknown) => void;

export class BodyWriter {
  readonly #write: Write;
  #target: Buffer = Buffer.alloc(0);
  /** Runs on when the target is full, so that its end says how much room the value needs. */
  #at = 0;

  constructor(schema: AvroSchema) {
    this.#write = this.#of(schema, "");
  }

  /** Returns the end, or the length that the target must have at least; writes nothing outside the value. Throws VALIDATION. */
  write(value: unknown, target: Buffer, at: number): number {
    this.#target = target;
    this.#at = at;
    this.#write(value);
    return this.#at;
  }

  #of(schema: AvroSchema, path: string): Write {
    if (typeof schema === "string") return this.#primitive({ type: schema }, path);
    if (isUnion(schema)) return this.#union(schema, path);
    if (schema.type === "record") return this.#record(schema, path);
    if (schema.type === "enum") return this.#enum(schema, path);
    if (schema.type === "array") return this.#array(schema, path);
    if (schema.type === "map") return this.#map(schema, path);
    return this.#primitive(schema, path);
  }

  #primitive(schema: AvroAnnotated, path: string): Write {
    const check: Check = primitiveCheck(schema, "foreign", path) ?? (() => undefined);
    const checked =
      <T>(put: (value: T) => void): Write =>
      (value) => {
        check(value);
        // The check has made sure of the type.
        put(value as T);
      };
    const puts: Readonly<Record<AvroPrimitive, Write>> = {
      null: check,
      boolean: checked((value: boolean) => this.#putByte(value ? 1 : 0)),
      int: this.#integer(schema, check),
      long: this.#integer(schema, check),
      float: checked((value: number) => this.#putFloat(value)),
      double: this.#double(schema, check),
      string: checked((value: string) => this.#putString(value)),
      bytes: checked((value: Buffer) => this.#putBytes(value)),
    };
    return puts[schema.type];
  }

  /** What is plainly right is written without another call; the check judges the rest, and says what is wrong. */
  #integer(schema: AvroAnnotated, check: Check): Write {
    const { minimum, maximum } = integerRange(schema);
    return (value) => {
      if (!(typeof value === "number" && value >= minimum && value <= maximum && Math.floor(value) === value)) check(value);
      this.#putLong(value as number); // the check has made sure
    };
  }

  /** As `#integer`. */
  #double(schema: AvroAnnotated, check: Check): Write {
    const { minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE, exclusiveMaximum = Infinity } = schema;
    return (value) => {
      if (!(typeof value === "number" && value >= minimum && value <= maximum && value < exclusiveMaximum)) check(value);
      this.#putDouble(value as number); // the check has made sure
    };
  }

  #record(schema: AvroRecord, path: string): Write {
    const fields = schema.fields.map(({ name, type, default: value }) => ({
      name,
      default: value,
      write: this.#of(type, path === "" ? name : `${path}.${name}`),
    }));
    const tag = schema.tagged === true ? schema.name : undefined;
    const tagPath = path === "" ? "type" : `${path}.type`;
    return (value) => {
      if (typeof value !== "object" || value === null) throw validationError(path, `${shown(value)} is not a ${schema.name}`);
      const given = value as Record<string, unknown>;
      if (tag !== undefined && given["type"] !== tag) throw validationError(tagPath, `${shown(given["type"])} is not ${tag}`);
      for (let index = 0; index < fields.length; index++) {
        const field = fields[index] as (typeof fields)[number];
        const item = given[field.name];
        field.write(item === undefined ? field.default : item);
      }
    };
  }

  #enum(schema: AvroEnum, path: string): Write {
    const indexes = new Map<unknown, number>(schema.symbols.map((symbol, index) => [symbol, index]));
    return (value) => {
      const index = indexes.get(value);
      if (index === undefined) throw validationError(path, `${shown(value)} is not known`);
      this.#putLong(index);
    };
  }

  #array(schema: AvroArray, path: string): Write {
    const item = this.#of(schema.items, `${path}[]`);
    return (value) => {
      if (!Array.isArray(value)) throw validationError(path, `${shown(value)} is not an array`);
      checkCount(value.length, schema.maxItems, path);
      if (value.length > 0) this.#putLong(value.length);
      for (let index = 0; index < value.length; index++) item(value[index]);
      this.#putByte(0);
    };
  }

  #map(schema: AvroMap, path: string): Write {
    const item = this.#of(schema.values, `${path}{}`);
    return (value) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw validationError(path, `${shown(value)} is not a map`);
      const keys = Object.keys(value);
      if (keys.length > 0) this.#putLong(keys.length);
      for (const key of keys) {
        if (key === "__proto__" || key === "constructor" || key === "prototype" || !key.isWellFormed())
          throw validationError(path, `the key ${shown(key)} is forbidden`);
        this.#putString(key);
        item((value as Record<string, unknown>)[key]);
      }
      this.#putByte(0);
    };
  }

  #union(branches: readonly AvroSchema[], path: string): Write {
    const writes = branches.map((branch) => this.#of(branch, path));
    const pick = branchPicker(branches);
    return (value) => {
      const index = pick(value);
      const write = writes[index];
      if (write === undefined) throw validationError(path, `${shown(value)} is of no kind that is known here`);
      this.#putLong(index);
      write(value);
    };
  }

  #putByte(byte: number): void {
    if (this.#at < this.#target.length) this.#target[this.#at] = byte;
    this.#at++;
  }

  #putLong(value: number): void {
    // Zigzag in integers where they do not overflow, else in doubles: exact to 2^52, which the check has made sure of.
    if (value >= -0x4000_0000 && value < 0x4000_0000) {
      let rest = (value << 1) ^ (value >> 31);
      for (; rest > 127; rest >>>= 7) this.#putByte((rest & 127) | 128);
      this.#putByte(rest);
      return;
    }
    // Above 2^31: four groups of seven bits, then what is left, both in integers.
    const doubled = value >= 0 ? value * 2 : -value * 2 - 1;
    let rest = Math.floor(doubled / TWO_TO_28);
    const low = doubled - rest * TWO_TO_28;
    this.#putByte((low & 127) | 128);
    this.#putByte(((low >>> 7) & 127) | 128);
    this.#putByte(((low >>> 14) & 127) | 128);
    this.#putByte((low >>> 21) | 128);
    for (; rest > 127; rest >>>= 7) this.#putByte((rest & 127) | 128);
    this.#putByte(rest);
  }

  #putFloat(value: number): void {
    if (this.#at + 4 <= this.#target.length) this.#target.writeFloatLE(value, this.#at);
    this.#at += 4;
  }

  #putDouble(value: number): void {
    if (this.#at + 8 <= this.#target.length) this.#target.writeDoubleLE(value, this.#at);
    this.#at += 8;
  }

  #putString(value: string): void {
    const target = this.#target;
    const start = this.#at + 1;
    // Most strings are short ids in ASCII: one byte of length, one a character, and no call into the runtime.
    if (value.length < SHORT_CHARACTERS && start + value.length <= target.length) {
      let index = 0;
      for (; index < value.length; index++) {
        const unit = value.charCodeAt(index);
        if (unit > 127) break;
        target[start + index] = unit;
      }
      if (index === value.length) {
        target[start - 1] = index << 1;
        this.#at = start + index;
        return;
      }
    }
    const length = Buffer.byteLength(value);
    this.#putLong(length);
    if (this.#at + length <= target.length) target.write(value, this.#at, "utf8");
    this.#at += length;
  }

  #putBytes(value: Buffer): void {
    this.#putLong(value.length);
    if (this.#at + value.length <= this.#target.length) value.copy(this.#target, this.#at);
    this.#at += value.length;
  }
}

const TWO_TO_28 = 2 ** 28;
/** Below this many bytes a length is one byte. */
const SHORT_CHARACTERS = 64;
