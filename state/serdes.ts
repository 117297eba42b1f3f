/** Serdes for keys and for values that need no schema. */
import { SerdeError } from "./errors.ts";
import type { KeySerde, Serde } from "./serde.ts";

/** Below this many characters a loop over the characters beats the call into the runtime. */
const SHORT_STRING_CHARACTERS = 32;

function encodeUtf8(value: string, target: Buffer, at: number): number {
  const length = value.length;
  if (length <= SHORT_STRING_CHARACTERS && at + length <= target.length) {
    let index = 0;
    for (; index < length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 127) break;
      target[at + index] = unit;
    }
    if (index === length) return at + length;
  }
  const end = at + Buffer.byteLength(value);
  if (end > target.length) return end;
  target.write(value, at, "utf8");
  return end;
}

/** Strings as UTF-8, which sorts by code point. A lone surrogate has no UTF-8 and is refused: two keys would become one. */
export const stringKey: KeySerde<string> = {
  id: "utf8",
  encode(value, target, at) {
    if (typeof value !== "string") throw new SerdeError("KEY_UNENCODABLE", `The key ${String(value)} is not a string.`);
    if (!value.isWellFormed()) throw new SerdeError("KEY_UNENCODABLE", `The key ${JSON.stringify(value)} is not well-formed Unicode.`);
    return encodeUtf8(value, target, at);
  },
  decode: (bytes, start, end) => bytes.toString("utf8", start, end),
};

/** Finite numbers as 8 bytes that sort as the numbers do: sign bit flipped, negative ones inverted. −0 is 0. */
export const numberKey: KeySerde<number> = {
  id: "f64-ordered",
  encode(value, target, at) {
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new SerdeError("KEY_UNENCODABLE", `The key ${String(value)} is not a finite number.`);
    const end = at + 8;
    if (end > target.length) return end;
    target.writeDoubleBE(value === 0 ? 0 : value, at);
    if (value < 0) for (let index = at; index < end; index++) target[index] = ~(target[index] ?? 0);
    else target[at] = (target[at] ?? 0) | 0x80;
    return end;
  },
  decode(bytes, start, end) {
    if (end - start !== 8) throw new SerdeError("ROW_UNDECODABLE", `A number key has 8 bytes, this one ${end - start}.`);
    const copy = Buffer.from(bytes.subarray(start, end));
    if (((copy[0] ?? 0) & 0x80) !== 0) copy[0] = (copy[0] ?? 0) & 0x7f;
    else for (let index = 0; index < 8; index++) copy[index] = ~(copy[index] ?? 0);
    return copy.readDoubleBE(0);
  },
};

/** Strings as UTF-8. */
export const stringSerde: Serde<string> = {
  id: "utf8",
  encode: encodeUtf8,
  decode: (bytes, start, end) => bytes.toString("utf8", start, end),
};

/** Any number as 8 bytes, big-endian IEEE 754. */
export const numberSerde: Serde<number> = {
  id: "f64",
  encode(value, target, at) {
    const end = at + 8;
    if (end <= target.length) target.writeDoubleBE(value, at);
    return end;
  },
  decode(bytes, start, end) {
    if (end - start !== 8) throw new SerdeError("ROW_UNDECODABLE", `A number has 8 bytes, this one ${end - start}.`);
    return bytes.readDoubleBE(start);
  },
};

/** Bytes as they are; decoded bytes are a copy, since rows come out of buffers that are used again. */
export const bytesSerde: Serde<Uint8Array> = {
  id: "bytes",
  encode(value, target, at) {
    const end = at + value.length;
    if (end <= target.length) target.set(value, at);
    return end;
  },
  decode: (bytes, start, end) => new Uint8Array(bytes.subarray(start, end)),
};

/** JSON text. For tests and small tools: fields are not checked, so `T` is the caller's word. */
export function jsonSerde<T>(id = "json"): Serde<T> {
  return {
    id,
    encode(value, target, at) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) throw new SerdeError("VALUE_UNENCODABLE", `A ${typeof value} has no JSON.`);
      return encodeUtf8(text, target, at);
    },
    decode(bytes, start, end) {
      try {
        return JSON.parse(bytes.toString("utf8", start, end)) as T;
      } catch (cause) {
        throw new SerdeError("ROW_UNDECODABLE", "The bytes are no JSON.", { cause });
      }
    },
  };
}
