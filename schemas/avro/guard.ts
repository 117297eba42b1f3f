/**
 * The bounded walk before Avro's own reader, which believes every length and count: eight bytes would make it allocate until
 * the process dies. After the guard has passed, each length lies inside the value, each string is UTF-8, each count is paid for.
 */
import { isUtf8 } from "node:buffer";
import type { Type, types } from "avsc";
import { SerdeError, validationError } from "../errors.ts";
import { type DecodeLimits, LONG_MAX, SCHEMA_PLACES_MAX } from "./limits.ts";

/** Walks one value of the writer's type and requires that it ends exactly at `end`. */
export type Guard = (bytes: Buffer, start: number, end: number) => void;
type Walk = () => void;

const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);
const FORBIDDEN_KEY_BYTES_MAX = 11;

export function createGuard(type: Type, limits: DecodeLimits): Guard {
  const walker = new Walker(limits);
  const walk = walker.of(type, "");
  return (bytes, start, end) => {
    walker.open(bytes, start, end);
    walk();
    walker.close();
  };
}

class Walker {
  readonly #limits: DecodeLimits;
  readonly #records = new Map<Type, { walk: Walk | undefined }>();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #depth = 0;
  #emptyItems = 0;
  #places = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#depth = 0;
    this.#emptyItems = 0;
  }

  close(): void {
    if (this.#at !== this.#end) throw malformed("", `${this.#end - this.#at} bytes are left after the value`);
  }

  of(type: Type, path: string): Walk {
    if (++this.#places > SCHEMA_PLACES_MAX)
      throw new SerdeError("SCHEMA_INVALID", `The schema has more than ${SCHEMA_PLACES_MAX} places: use fewer or flatter types.`);
    switch (type.typeName) {
      case "null":
        return () => undefined;
      case "boolean":
        return () => this.#boolean(path);
      case "int":
        return () => this.#varint(path);
      case "long":
        return () => this.#wholeNumber(path);
      case "float":
        return () => this.#skip(4, path);
      case "double":
        return () => this.#skip(8, path);
      case "fixed": {
        const { size } = type as types.FixedType;
        return () => this.#skip(size, path);
      }
      case "bytes":
        return () => this.#skip(this.#count(path), path);
      case "string":
        return () => this.#string(path);
      case "enum": {
        const { length } = (type as types.EnumType).symbols;
        return () => void this.#index(length, path);
      }
      case "array":
        return this.#blocks((type as types.ArrayType).itemsType, path, undefined);
      case "map":
        return this.#blocks((type as types.MapType).valuesType, path, () => this.#mapKey(path));
      case "record":
      case "error":
        return this.#record(type as types.RecordType, path);
      case "union:unwrapped":
      case "union:wrapped": {
        const branches = (type as types.UnwrappedUnionType).types.map((branch) => this.of(branch, path));
        return () => branches[this.#index(branches.length, path)]?.();
      }
      default:
        return this.of((type as types.LogicalType).underlyingType, path);
    }
  }

  /** A record that contains itself is met again while it is being built: its walk is looked up when it runs. */
  #record(type: types.RecordType, path: string): Walk {
    const known = this.#records.get(type);
    if (known !== undefined) return () => known.walk?.();
    const entry: { walk: Walk | undefined } = { walk: undefined };
    this.#records.set(type, entry);
    const fields = type.fields.map((field) => this.of(field.type, path === "" ? field.name : `${path}.${field.name}`));
    entry.walk = () => {
      this.#enter(path);
      for (let index = 0; index < fields.length; index++) fields[index]?.();
      this.#depth--;
    };
    // Elsewhere the same record has another path, and messages name paths.
    const { walk } = entry;
    this.#records.delete(type);
    return walk;
  }

  #blocks(itemType: Type, path: string, key: Walk | undefined): Walk {
    const item = this.of(itemType, `${path}[]`);
    const bytesMin = minimumBytes(itemType, new Set()) + (key === undefined ? 0 : 1);
    return () => {
      this.#enter(path);
      for (;;) {
        let count = this.#long(path);
        if (count === 0) break;
        if (count < 0) {
          count = -count;
          const size = this.#long(path);
          if (size < 0 || size > this.#end - this.#at) throw limit(path, `a block of ${size} bytes, ${this.#end - this.#at} are left`);
        }
        this.#afford(count, bytesMin, path);
        for (let index = 0; index < count; index++) {
          key?.();
          item();
        }
      }
      this.#depth--;
    };
  }

  #afford(count: number, bytesMin: number, path: string): void {
    const left = this.#end - this.#at;
    if (bytesMin > 0) {
      if (count > left / bytesMin) throw limit(path, `${count} items announced, ${left} bytes left`);
      return;
    }
    this.#emptyItems += count;
    if (this.#emptyItems > this.#limits.emptyItemsMax)
      throw limit(path, `${this.#emptyItems} items without bytes, at most ${this.#limits.emptyItemsMax}`);
  }

  #enter(path: string): void {
    if (++this.#depth > this.#limits.depthMax) throw limit(path, `depth over ${this.#limits.depthMax}`);
  }

  #boolean(path: string): void {
    const at = this.#at;
    this.#skip(1, path);
    if ((this.#bytes[at] ?? 0) > 1) throw malformed(path, "a boolean is neither 0 nor 1");
  }

  #mapKey(path: string): void {
    const start = this.#string(path);
    const length = this.#at - start;
    if (length <= FORBIDDEN_KEY_BYTES_MAX && forbiddenKeys.has(this.#bytes.toString("latin1", start, this.#at)))
      throw new SerdeError("FORBIDDEN_KEY", `field=${path} The map has the key ${this.#bytes.toString("latin1", start, this.#at)}.`, {
        field: path,
      });
  }

  /** Returns where its bytes start. */
  #string(path: string): number {
    const length = this.#count(path);
    const start = this.#at;
    const end = start + length;
    const bytes = this.#bytes;
    let seen = 0;
    for (let index = start; index < end; index++) seen |= bytes[index] as number;
    if (seen > 127 && !isUtf8(bytes.subarray(start, end))) throw malformed(path, "a string is not UTF-8");
    this.#at = end;
    return start;
  }

  /** A length that fits into what is left. */
  #count(path: string): number {
    const length = this.#long(path);
    if (length < 0 || length > this.#end - this.#at) throw limit(path, `length ${length}, ${this.#end - this.#at} bytes left`);
    return length;
  }

  #index(length: number, path: string): number {
    const index = this.#long(path);
    if (index < 0 || index >= length) throw malformed(path, `index ${index} of ${length}`);
    return index;
  }

  #skip(count: number, path: string): void {
    this.#at += count;
    if (this.#at > this.#end) throw malformed(path, "the value ends too early");
  }

  #varint(path: string): void {
    const bytes = this.#bytes;
    const last = Math.min(this.#end, this.#at + VARINT_BYTES_MAX);
    let at = this.#at;
    while (at < last) {
      if ((bytes[at++] as number) < 128) {
        this.#at = at;
        return;
      }
    }
    throw malformed(path, "a number ends too early or is too long");
  }

  #wholeNumber(path: string): void {
    const start = this.#at;
    this.#varint(path);
    if (this.#at - start < UNSAFE_BYTES) return;
    this.#at = start;
    const value = this.#long(path);
    if (Math.abs(value) > LONG_MAX) throw validationError(path, `${value} is beyond 2^52`);
  }

  /** Exact below 2^53, and what lies above is beyond every limit that it is compared with. */
  #long(path: string): number {
    const start = this.#at;
    const first = start < this.#end ? (this.#bytes[start] as number) : 128;
    if (first < 128) {
      this.#at = start + 1;
      return (first >> 1) ^ -(first & 1);
    }
    this.#varint(path);
    let value = 0;
    for (let at = this.#at - 1; at >= start; at--) value = value * 128 + ((this.#bytes[at] as number) & 127);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const VARINT_BYTES_MAX = 10;
/** Seven bytes hold 48 bits and a sign: only longer numbers can be beyond 2^52. */
const UNSAFE_BYTES = 8;

/** The fewest bytes that a value of the type takes. */
function minimumBytes(type: Type, seen: Set<Type>): number {
  switch (type.typeName) {
    case "null":
      return 0;
    case "float":
      return 4;
    case "double":
      return 8;
    case "fixed":
      return (type as types.FixedType).size;
    case "record":
    case "error": {
      if (seen.has(type)) return 0;
      const inside = new Set(seen).add(type);
      return (type as types.RecordType).fields.reduce((sum, field) => sum + minimumBytes(field.type, inside), 0);
    }
    case "union:unwrapped":
    case "union:wrapped":
      return 1 + Math.min(...(type as types.UnwrappedUnionType).types.map((branch) => minimumBytes(branch, seen)));
    default:
      return type.typeName.startsWith("logical:") ? minimumBytes((type as types.LogicalType).underlyingType, seen) : 1;
  }
}

function malformed(field: string, reason: string): SerdeError {
  return new SerdeError("MALFORMED_FRAME", `${field === "" ? "" : `field=${field} `}${reason}`, { field, reason });
}

function limit(field: string, reason: string): SerdeError {
  return new SerdeError("LIMIT_EXCEEDED", `field=${field} ${reason}`, { field, reason });
}
