/** What can go wrong with state. `docs/errors.md` has cause and remedy of each code. */

export type StateErrorCode =
  | "STORE_FULL"
  | "STORE_UNKNOWN"
  | "PRIORITY_INVALID"
  | "TIMER_INVALID"
  | "KEY_UNENCODABLE"
  | "VALUE_UNENCODABLE"
  | "ROW_UNDECODABLE";

/** Where it happened, as far as it is known. */
export interface StateErrorFacts {
  readonly store?: string;
  readonly key?: string | number;
  readonly cause?: unknown;
}

/** Every condition that a store reports. Bugs are assertions, not StateErrors. */
export class StateError extends Error {
  readonly code: StateErrorCode;
  readonly store: string | undefined;
  readonly key: string | number | undefined;

  constructor(code: StateErrorCode, message: string, facts: StateErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.store = facts.store;
    this.key = facts.key;
  }
}

/** A key, value or row that does not fit its serde; the record that put it is to blame, or the row is damaged. */
export class SerdeError extends StateError {}
