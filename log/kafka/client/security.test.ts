import { expect, test } from "vitest";
import { openKafkaLog } from "../kafka-log.ts";
import { checkSecurity } from "./security.ts";

test("brokers are always verified: any way to switch that off is refused", async () => {
  // As it would come from a configuration file.
  const careless = { rejectUnauthorized: false } as object;
  const blind = { checkServerIdentity: () => undefined } as object;
  expect(() => checkSecurity({ tls: careless })).toThrow(/rejectUnauthorized.*always verified/);
  expect(() => checkSecurity({ tls: blind })).toThrow(/checkServerIdentity/);
  await expect(openKafkaLog({ brokers: ["127.0.0.1:1"], clientId: "test", tls: careless })).rejects.toThrow(/rejectUnauthorized/);
  expect(() => checkSecurity({ tls: { ca: "pem" }, sasl: { mechanism: "PLAIN", username: "u", password: "p" } })).not.toThrow();
});

test("secrets do not go over an open line, and are in no message", () => {
  expect(() => checkSecurity({ sasl: { mechanism: "PLAIN", username: "u", password: "hunter2" } })).toThrow(/^(?!.*hunter2).*open line/);
  expect(() => checkSecurity({ sasl: { mechanism: "OAUTHBEARER", token: () => "t" } })).toThrow(/open line/);
  expect(() => checkSecurity({ sasl: { mechanism: "SCRAM-SHA-512", username: "u", password: "p" } })).not.toThrow();
});

test("times in the wrong order and addresses that are none are refused before anything is connected", async () => {
  const log = { brokers: ["127.0.0.1:1"], clientId: "test" };
  await expect(openKafkaLog({ ...log, transactionMsMax: 20_000, heartbeatMs: 9000 })).rejects.toThrow(/transactionMsMax.*heartbeatMs/);
  await expect(openKafkaLog({ ...log, brokers: [] })).rejects.toThrow(/no broker/);
  await expect(openKafkaLog({ ...log, brokers: ["localhost"] })).rejects.toThrow(/HOST:PORT/);
});
