/** Every refusal and failure as a problem, and what the server's log may know of it. */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ApiError, problemOf, type Problem } from "../errors.ts";

/** `request`: method and pattern of the route; parameters are personal data. */
export type FailureListener = (error: unknown, request: string) => void;

/** Answers as `application/problem+json`; of a failure of ours nothing leaves the process but its code. */
export function answerErrors(onFailure: FailureListener | undefined) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemFor(error);
    if (problem.code === "INTERNAL") onFailure?.(error, routeName(request));
    sendProblem(reply, problem);
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.retryAfterMs !== undefined) void reply.header("retry-after", String(Math.ceil(problem.retryAfterMs / 1_000)));
  void reply.status(problem.status).type("application/problem+json").send(problem);
}

export function routeName(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? "(no route)"}`;
}

function problemFor(error: unknown): Problem {
  if (error instanceof ApiError) return problemOf(error.code, error.message, error);
  const { statusCode, message } = error as Partial<FastifyError>;
  // The framework's own refusals: query, path, media type.
  if (statusCode === 415) return problemOf("MEDIA_TYPE_UNSUPPORTED", "send Content-Type: application/json");
  if (statusCode === 413) return problemOf("BODY_TOO_LARGE", message ?? "the body is too large");
  if (statusCode !== undefined && statusCode < 500) return problemOf("BAD_REQUEST", message ?? "this request cannot be used");
  return problemOf("INTERNAL", "this request failed; the log of the server says why");
}

/** What a log may hold of a failure: kinds, codes and places in the code; messages name ids and positions. */
export function failureForLog(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { kind: typeof error };
  const { name, cause, stack = "" } = error;
  const { code } = error as { readonly code?: unknown };
  const places = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return {
    kind: name,
    ...(typeof code === "string" ? { code } : {}),
    at: places.slice(0, PLACES_MAX).map((line) => line.trim()),
    ...(cause === undefined ? {} : { cause: failureForLog(cause) }),
  };
}

const PLACES_MAX = 12;
