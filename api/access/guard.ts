/** What every request passes before its route: who asks, whether he may, whether there is room, whether the body is what it must be. */
import bearerAuth from "@fastify/bearer-auth";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import { routeName } from "./answer-errors.ts";
import { isAllowed, OPEN_PRINCIPAL, principalOf, type Access, type Principal, type Scope } from "./tokens.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may ask. Undefined: everybody, without a token; such a route tells nothing of anybody. */
    readonly scope?: Scope;
    /** Requests of the route at once; default 256. */
    readonly inFlightMax?: number;
  }
  interface FastifyRequest {
    principal: Principal;
  }
}

export interface GuardOptions {
  readonly access: Access;
  /** Requests of one principal (an address where access is open) in a second. Default 5,000. */
  readonly requestsPerSecondMax?: number;
}

export const REQUESTS_PER_SECOND_MAX = 5_000;
const IN_FLIGHT_MAX = 256;
const RETRY_AFTER_MS = 1_000;
/** Principals whose rate is remembered. */
const PRINCIPALS_MAX = 10_000;

const jsonType = /^application\/json(?:;\s?charset=utf-8)?$/i;

/** Hooks on the instance itself, so that they hold for all routes registered after it. Resolves when the plugins are there. */
export async function guardRoutes(
  app: FastifyInstance,
  { access, requestsPerSecondMax = REQUESTS_PER_SECOND_MAX }: GuardOptions,
): Promise<void> {
  app.decorateRequest("principal");
  const tokens = access.kind === "open" ? [] : access.tokens;
  await app.register(bearerAuth, {
    addHook: false,
    keys: [],
    auth(presented, request) {
      const principal = principalOf(tokens, presented);
      if (principal === undefined) return false;
      request.principal = principal;
      return true;
    },
  });
  app.addHook("onRequest", (request, reply, done) => {
    request.principal = OPEN_PRINCIPAL;
    if (access.kind === "open" || request.routeOptions.config.scope === undefined) return done();
    app.verifyBearerAuth?.(request, reply, (error) => {
      if (error === undefined) return done();
      void reply.header("www-authenticate", 'Bearer realm="slackline"');
      done(new ApiError("UNAUTHORIZED", "a bearer token is needed: Authorization: Bearer …", { cause: error }));
    });
  });
  // Before the scope is looked at: whoever guesses is slowed down too.
  await app.register(rateLimit, {
    max: requestsPerSecondMax,
    timeWindow: 1_000,
    cache: PRINCIPALS_MAX,
    keyGenerator: (request: FastifyRequest) =>
      request.principal === OPEN_PRINCIPAL ? `address ${request.ip}` : `principal ${request.principal.name}`,
    addHeadersOnExceeding: { "x-ratelimit-limit": false, "x-ratelimit-remaining": false, "x-ratelimit-reset": false },
    errorResponseBuilder: (_request, { ttl }) =>
      new ApiError("RATE_LIMITED", `more than ${requestsPerSecondMax} requests in a second`, { retryAfterMs: Math.max(1, ttl) }),
  });
  app.addHook("onRequest", (request, _reply, done) => {
    const { scope } = request.routeOptions.config;
    done(scope === undefined || isAllowed(request.principal, scope) ? undefined : forbidden());
  });
  limitInFlight(app);
  app.addHook("preParsing", (request, _reply, payload, done) => {
    if (request.method === "POST" && !jsonType.test(request.headers["content-type"] ?? ""))
      done(new ApiError("MEDIA_TYPE_UNSUPPORTED", "send Content-Type: application/json"));
    else done(null, payload);
  });
}

/** One body for everything that a token does not allow, whether it exists or not. */
export function forbidden(): ApiError {
  return new ApiError("FORBIDDEN", "this token does not allow it");
}

function limitInFlight(app: FastifyInstance): void {
  const counts = new Map<string, number>();
  app.addHook("onRequest", (request, reply, done) => {
    const route = routeName(request);
    const count = counts.get(route) ?? 0;
    const most = request.routeOptions.config.inFlightMax ?? IN_FLIGHT_MAX;
    if (count >= most) {
      done(
        new ApiError("OVERLOADED", `${most} requests of this route are in flight`, { reason: "IN_FLIGHT", retryAfterMs: RETRY_AFTER_MS }),
      );
      return;
    }
    counts.set(route, count + 1);
    // However it ends: answered, given up by the client, or a stream that nobody follows any more, of which no hook hears.
    reply.raw.once("close", () => counts.set(route, Math.max(0, (counts.get(route) ?? 0) - 1)));
    done();
  });
}
