/** Conditions of the API; `statusOf` is the one table from code to HTTP status. */
export type ApiErrorCode =
  /** A parameter is missing or has a value that cannot be used. */
  | "BAD_REQUEST"
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
  /** The process is starting, restoring or stopping. */
  | "NOT_READY"
  /** A failure of ours; its cause is in the log. */
  | "INTERNAL";

const statuses: Readonly<Record<ApiErrorCode, number>> = {
  BAD_REQUEST: 400,
  TOPIC_NOT_FOUND: 404,
  STORE_NOT_FOUND: 404,
  KEY_NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  INSTANCE_UNREACHABLE: 502,
  NOT_READY: 503,
  INTERNAL: 500,
};

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function statusOf(code: ApiErrorCode): number {
  return statuses[code];
}

/** RFC 9457 `application/problem+json` with our stable code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ApiErrorCode;
}

export function problemOf(code: ApiErrorCode, detail: string): Problem {
  return {
    type: `https://slackline.dev/errors#${code.toLowerCase()}`,
    title: code.toLowerCase().replaceAll("_", " "),
    status: statusOf(code),
    detail,
    code,
  };
}
