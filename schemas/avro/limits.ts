/** How much a value from outside may ask for. One place for all limits of decoding. */
export interface DecodeLimits {
  /** Whole frame. Default 262,144. */
  readonly bytesMax: number;
  /** Records, arrays and maps inside each other. Default 32. */
  readonly depthMax: number;
  /** Items that take no bytes (nulls, empty records) in one value: their count is bounded by nothing else. Default 1,024. */
  readonly emptyItemsMax: number;
}

export const defaultLimits: DecodeLimits = { bytesMax: 256 * 1024, depthMax: 32, emptyItemsMax: 1024 };

/** A writer's schema from the registry. */
export const SCHEMA_CHARACTERS_MAX = 64 * 1024;
/** Of its JSON: about half of it as Avro types. */
export const SCHEMA_DEPTH_MAX = 64;
/** Kinds of a topic: one byte says which. */
export const SCHEMA_BRANCHES_MAX = 64;
/** Places of a schema, a type counted wherever it is used. */
export const SCHEMA_PLACES_MAX = 4096;

/** Longs reach from −2^52 to 2^52: the largest range in which the zigzag form is exact in a double. Times last until the year 144,683. */
export const LONG_MAX = 2 ** 52;
