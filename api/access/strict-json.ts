/**
 * JSON from strangers. `JSON.parse` keeps the last of two equal keys, so two readers of one body could see two orders, and takes
 * `__proto__` as a key: one pass over the text refuses both, and depth, before anything is built.
 */
import { ApiError } from "../errors.ts";

/** Objects and arrays within each other. */
export const JSON_DEPTH_MAX = 32;

const forbidden: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const COLON = 58;
const COMMA = 44;

/** Throws ApiError: `MALFORMED_BODY` (also for a key twice), `LIMIT_EXCEEDED` (depth), `FORBIDDEN_KEY`. */
export function parseStrictJson(text: string): unknown {
  checkKeys(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError("MALFORMED_BODY", "the body is no JSON", { cause });
  }
}

/** What is not well-formed otherwise is left to `JSON.parse`. */
function checkKeys(text: string): void {
  // One entry a level: the keys of an object so far, undefined for an array.
  const levels: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case OPEN_OBJECT:
      case OPEN_ARRAY: {
        const isObject = text.charCodeAt(index) === OPEN_OBJECT;
        levels.push(isObject ? new Set() : undefined);
        if (levels.length > JSON_DEPTH_MAX)
          throw new ApiError("LIMIT_EXCEEDED", `the body is nested deeper than ${JSON_DEPTH_MAX} objects and arrays`);
        expectsKey = isObject;
        break;
      }
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        levels.pop();
        expectsKey = false;
        break;
      case COMMA:
        expectsKey = levels.at(-1) !== undefined;
        break;
      case COLON:
        expectsKey = false;
        break;
      case QUOTE: {
        const end = endOfString(text, index);
        if (expectsKey) noteKey(levels.at(-1), text.slice(index, end + 1));
        index = end;
        break;
      }
      default:
    }
  }
}

/** Index of the closing quote, or of the text's end. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  for (; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) break;
    if (unit === BACKSLASH) index++;
  }
  return index;
}

function noteKey(keys: Set<string> | undefined, quoted: string): void {
  const key = quoted.includes("\\") ? unescaped(quoted) : quoted.slice(1, -1);
  if (forbidden.has(key)) throw new ApiError("FORBIDDEN_KEY", "the body has a key that is not allowed in any object");
  if (keys?.has(key) === true) throw new ApiError("MALFORMED_BODY", "an object of the body has a key twice");
  keys?.add(key);
}

function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch (cause) {
    throw new ApiError("MALFORMED_BODY", "the body is no JSON", { cause });
  }
}
