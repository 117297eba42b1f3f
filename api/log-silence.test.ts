/** What the server tells the log: enough to find a fault, and nothing of anybody. */
import { Writable } from "node:stream";
import pino from "pino";
import { expect, test } from "vitest";
import { failureForLog } from "./access/answer-errors.ts";
import { ApiError } from "./errors.ts";
import { home, kitchen, ServedSystem } from "./testing/served-system.ts";

const secrets = ["driver-4711", "order-0815", "the-very-secret-token", "47.37", "8.54", "my reason"];

function capturing() {
  let text = "";
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { logger: pino({ level: "debug" }, sink), lines: () => text };
}

const broken = (): Promise<never> =>
  Promise.reject(new Error("driver-4711 at 47.37, 8.54", { cause: new ApiError("INTERNAL", "order-0815: my reason") }));

test("a day of good and bad requests, and failures whose messages name everybody, leaves no id and no position in the log", async () => {
  const { logger, lines } = capturing();
  const onFailure = (error: unknown, request: string): void => logger.error({ failure: failureForLog(error), request }, "a request failed");
  const queries = { driver: broken, nearby: broken, job: broken, assignment: broken, queue: broken, stats: broken };
  await using system = await ServedSystem.open({ server: { onFailure }, services: { onFailure } });
  await using failing = await ServedSystem.open({ server: { onFailure, services: { queries } } });
  await system.startShift("driver-4711");
  await system.place("order-0815", { dropOff: home });
  await system.post("/v1/orders", { type: "OrderCancelled", orderId: "order-0815", version: 2, reason: "my reason" });
  await system.post("/v1/orders", { orderId: "order-0815", pickup: kitchen, secret: 1 });
  await system.advance(2_000);
  const headers = { authorization: "Bearer the-very-secret-token" };
  for (const server of [system, failing]) {
    for (const path of [
      "/v1/drivers/driver-4711",
      "/v1/jobs/order-0815",
      `/v1/nearby-drivers?latitude=${kitchen.latitude}&longitude=${kitchen.longitude}`,
      "/v1/jobs/order-0815/nothing",
      "/v1/stores/jobs/order-0815",
    ])
      await server.get(path, headers);
  }
  const text = lines();
  expect(text).toContain("GET /v1/drivers/:driverId");
  expect(text).toContain(`"kind":"Error"`);
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test("of a failure the log has kind, code, place and cause", () => {
  const failure = failureForLog(new Error("secret", { cause: new ApiError("LOG_UNAVAILABLE", "secret") }));
  expect(failure).toMatchObject({ kind: "Error", cause: { kind: "ApiError", code: "LOG_UNAVAILABLE" } });
  expect(JSON.stringify(failure)).not.toContain("secret");
  expect(JSON.stringify(failure)).toContain("log-silence.test.ts");
});
