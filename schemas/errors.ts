/** What can go wrong between a value and its bytes. The engine dead-letters by `code`; `docs/errors.md` has cause and remedy of each. */

export type SerdeErrorCode =
  | "MALFORMED_FRAME"
  | "UNKNOWN_SCHEMA"
  | "LIMIT_EXCEEDED"
  | "FORBIDDEN_KEY"
  | "VALIDATION"
  | "INVALID_KEY"
  | "SCHEMA_INCOMPATIBLE"
  | "SCHEMA_INVALID"
  | "REGISTRY_UNAVAILABLE";

/** Where and why, as far as it is known. */
export interface SerdeErrorFacts {
  readonly subject?: string;
  /** Path inside the value, `position.latitude`. */
  readonly field?: string;
  readonly reason?: string;
  readonly schemaId?: number;
  readonly cause?: unknown;
}

/**
 * A value or its bytes do not fit their schema, or the schema is not to be had. `REGISTRY_UNAVAILABLE` alone may pass when
 * tried again; all others are a property of the record.
 */
export class SerdeError extends Error {
  readonly code: SerdeErrorCode;
  readonly facts: SerdeErrorFacts;

  constructor(code: SerdeErrorCode, message: string, facts: SerdeErrorFacts = {}) {
    super(`${code} ${message}`, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "SerdeError";
    this.code = code;
    this.facts = facts;
  }

  /** The bytes are not to blame: the engine keeps them and tries again. */
  get retriable(): boolean {
    return this.code === "REGISTRY_UNAVAILABLE";
  }
}

/** `VALIDATION field=… reason=…`: the bytes are well-formed, the value is outside its domain. */
export function validationError(field: string, reason: string): SerdeError {
  return new SerdeError("VALIDATION", `field=${field} reason=${reason}`, { field, reason });
}
