/**
 * How values and keys become bytes. Contract only. `schemas/` provides framed Avro serdes of this shape.
 */

export interface Serde<T> {
  /** Binds state: part of the manifest, changes when old bytes can no longer be read. */
  readonly id: string;
  /**
   * Writes `value` at `at` and returns the end position. If the target is too small nothing sensible is written and the
   * return value is the length that the target must have at least (> target.length). Throws SerdeError for a value that
   * does not fit its type.
   */
  encode(value: T, target: Buffer, at: number): number;
  /**
   * Reads exactly bytes[start, end). Throws SerdeError (`MALFORMED_FRAME`, `LIMIT_EXCEEDED`, …) and never reads outside. An error
   * with `retriable: true` says that the same bytes may be read later: a record then waits, and nothing becomes of it meanwhile.
   */
  decode(bytes: Buffer, start: number, end: number): T;
}

/** A serde whose bytes sort as its keys do; keys are primitives so that they can index a Map. */
export interface KeySerde<K extends string | number> extends Serde<K> {}
