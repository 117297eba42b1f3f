/** Conditions of the API; `statusOf` is the one table from code to HTTP status. */
export type ApiErrorCode =
  /** A parameter is missing or has a value that cannot be used. */
  | "BAD_REQUEST"
  /** A field of an event is outside its domain, missing or unknown: `field=… reason=…`. */
  | "VALIDATION"
  /** An id that cannot be the key of a record. */
  | "INVALID_KEY"
  /** The body is larger or deeper than allowed, or has too many events. */
  | "LIMIT_EXCEEDED"
  /** A key of the body would reach an object's prototype. */
  | "FORBIDDEN_KEY"
  /** A time of the event is before the epoch or too far ahead of the clock. */
  | "TIMESTAMP_OUT_OF_RANGE"
  /** The body is no JSON, or an object in it has a key twice. */
  | "MALFORMED_BODY"
  /** The body is larger than the route takes. */
  | "BODY_TOO_LARGE"
  /** The body is not `application/json`. */
  | "MEDIA_TYPE_UNSUPPORTED"
  /** No token, or one that nobody was given. */
  | "UNAUTHORIZED"
  /** The token does not allow it; the same answer whether or not the thing exists. */
  | "FORBIDDEN"
  /** More requests than this principal may send in the time. */
  | "RATE_LIMITED"
  /** More requests in flight than the route takes. */
  | "OVERLOADED"
  /** No topic of that name in this log. */
  | "TOPIC_NOT_FOUND"
  /** No store of that name in this topology. */
  | "STORE_NOT_FOUND"
  /** No committed value under that key. */
  | "KEY_NOT_FOUND"
  /** No route has that method and path. */
  | "ROUTE_NOT_FOUND"
  /** Another process does not answer, or is none of ours. */
  | "INSTANCE_UNREACHABLE"
  /** A question is not passed on: the address is not allowed, it was passed on before, or the answer is no answer. */
  | "FORWARD_REFUSED"
  /** The process is starting, restoring or stopping. */
  | "NOT_READY"
  /** The log did not take the events, or did not say whether it did. */
  | "LOG_UNAVAILABLE"
  /** A failure of ours; its cause is in the log. */
  | "INTERNAL";

const statuses: Readonly<Record<ApiErrorCode, number>> = {
  BAD_REQUEST: 400,
  VALIDATION: 400,
  INVALID_KEY: 400,
  LIMIT_EXCEEDED: 400,
  FORBIDDEN_KEY: 400,
  TIMESTAMP_OUT_OF_RANGE: 400,
  MALFORMED_BODY: 400,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  TOPIC_NOT_FOUND: 404,
  STORE_NOT_FOUND: 404,
  KEY_NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  INSTANCE_UNREACHABLE: 502,
  FORWARD_REFUSED: 502,
  NOT_READY: 503,
  LOG_UNAVAILABLE: 503,
  INTERNAL: 500,
};

/** Facts that an answer carries beside its code. */
export interface ApiErrorFacts extends ErrorOptions {
  /** Why a 503 is one: `STARTING`, `RESTORING`, `REBALANCING`, `DRAINING`, … */
  readonly reason?: string;
  /** When asking again makes sense; becomes `Retry-After` too. */
  readonly retryAfterMs?: number;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ApiErrorCode, message: string, facts: ApiErrorFacts = {}) {
    super(message, "cause" in facts ? { cause: facts.cause } : undefined);
    this.code = code;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

export function statusOf(code: ApiErrorCode): number {
  return statuses[code];
}

/** All codes, for the page of errors and the document of the API. */
export const apiErrorCodes = Object.keys(statuses).filter((code): code is ApiErrorCode => code in statuses);

/** RFC 9457 `application/problem+json` with our stable code. */
export interface Problem {
  /** Where this server tells cause and remedy of the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ApiErrorCode;
  readonly reason?: string;
  readonly retryAfterMs?: number;
}

export function problemOf(
  code: ApiErrorCode,
  detail: string,
  facts: { readonly reason?: string | undefined; readonly retryAfterMs?: number | undefined } = {},
): Problem {
  return {
    type: `/errors/${code}`,
    title: code.toLowerCase().replaceAll("_", " "),
    status: statusOf(code),
    detail,
    code,
    ...(facts.reason === undefined ? {} : { reason: facts.reason }),
    ...(facts.retryAfterMs === undefined ? {} : { retryAfterMs: facts.retryAfterMs }),
  };
}
