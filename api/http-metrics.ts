/** The server's own figures: requests by route and status, never by id; streams and their followers. */
import type { FastifyInstance } from "fastify";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { TrackingHub } from "./live/tracking-hub.ts";

const bucketsSeconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

export class HttpMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Histogram({
    name: "slackline_http_request_seconds",
    help: "Time from the request's head to the answer's end.",
    labelNames: ["method", "route", "status"],
    buckets: bucketsSeconds,
    registers: [this.#registry],
  });
  readonly #followers = new Gauge({
    name: "slackline_sse_followers",
    help: "Clients that follow a job or a cell now.",
    registers: [this.#registry],
  });
  readonly #slow = new Counter({
    name: "slackline_sse_slow_closed_total",
    help: "Followers closed because they did not read what was sent.",
    registers: [this.#registry],
  });
  readonly #sent = new Counter({
    name: "slackline_sse_events_total",
    help: "Events written to followers.",
    registers: [this.#registry],
  });
  #slowBefore = 0;
  #sentBefore = 0;

  observe(app: FastifyInstance): void {
    app.addHook("onResponse", (request, reply, done) => {
      const { method } = request;
      // The pattern, of which there are few; paths would be a label for each id.
      this.#requests.observe({ method, route: request.routeOptions.url ?? "none", status: reply.statusCode }, reply.elapsedTime / 1_000);
      done();
    });
  }

  async text(tracking: TrackingHub | undefined): Promise<string> {
    if (tracking !== undefined) {
      const { followers, slowClosed, sent } = tracking.counts();
      this.#followers.set(followers);
      this.#slow.inc(slowClosed - this.#slowBefore);
      this.#sent.inc(sent - this.#sentBefore);
      this.#slowBefore = slowClosed;
      this.#sentBefore = sent;
    }
    return this.#registry.metrics();
  }
}
