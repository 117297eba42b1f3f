import { SerdeError } from "./errors.ts";

/** In the shape that the engine asks for; the bytes sort as the strings do by code point. */
export interface IdSerde {
  readonly id: string;
  /** Throws INVALID_KEY. Returns the end, or the length that the target must have at least. */
  encode(value: string, target: Buffer, at: number): number;
  /** Throws INVALID_KEY for nothing, for more than 256 bytes, and for what is not UTF-8. */
  decode(bytes: Buffer, start: number, end: number): string;
}

const KEY_BYTES_MAX = 256;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Ids of entities as topic keys: UTF-8, 1 to 256 bytes. */
export const idSerde: IdSerde = {
  id: "id-utf8",
  encode(value, target, at) {
    // Callers in JavaScript and JSON may bring anything.
    const given: unknown = value;
    if (typeof given !== "string") throw invalidKey(`a key of type ${given === null ? "null" : typeof given}`);
    if (given.length === 0) throw invalidKey("an empty key");
    if (given.length <= KEY_BYTES_MAX && at + given.length <= target.length) {
      let index = 0;
      for (; index < given.length; index++) {
        const unit = given.charCodeAt(index);
        if (unit > 127) break;
        target[at + index] = unit;
      }
      if (index === given.length) return at + index;
    }
    const length = Buffer.byteLength(given);
    if (length > KEY_BYTES_MAX) throw invalidKey(`a key of ${length} bytes`);
    if (!given.isWellFormed()) throw invalidKey("a key that is not well-formed Unicode");
    if (at + length <= target.length) target.write(given, at, "utf8");
    return at + length;
  },
  decode(bytes, start, end) {
    const length = end - start;
    if (length <= 0) throw invalidKey("no key or an empty one");
    if (length > KEY_BYTES_MAX) throw invalidKey(`a key of ${length} bytes`);
    let seen = 0;
    for (let index = start; index < end; index++) seen |= bytes[index] as number;
    if (seen < 128) return bytes.toString("latin1", start, end);
    try {
      return decoder.decode(bytes.subarray(start, end));
    } catch (cause) {
      throw invalidKey("a key that is not UTF-8", cause);
    }
  },
};

function invalidKey(reason: string, cause?: unknown): SerdeError {
  return new SerdeError("INVALID_KEY", `${reason}: a key is an id of 1 to ${KEY_BYTES_MAX} bytes of UTF-8.`, { reason, cause });
}
