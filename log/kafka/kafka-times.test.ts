import { expect, test } from "vitest";
import { openKafkaLog } from "./kafka-log.ts";

const options = { brokers: ["127.0.0.1:1"], clientId: "test" };

test.each([
  [
    "a transaction that outlives the session",
    { transactionMsMax: 20_000, sessionMsMax: 10_000 },
    /transactionMsMax 20000 is above sessionMsMax 10000/,
  ],
  [
    "fewer than three heartbeats a session",
    { heartbeatMs: 400, sessionMsMax: 1_000, transactionMsMax: 1_000 },
    /heartbeatMs 400 is above a third/,
  ],
  [
    "a group that waits less long than a transaction lasts",
    { rebalanceMsMax: 5_000 },
    /rebalanceMsMax 5000 is below transactionMsMax 10000/,
  ],
  ["a time that is none", { heartbeatMs: -1 }, /heartbeatMs -1 is no whole number/],
])("%s is refused before anything is connected to", async (_, times, message) => {
  await expect(openKafkaLog({ ...options, ...times })).rejects.toThrow(message);
});

test("all that is wrong is said at once", async () => {
  const times = { sessionMsMax: 900, transactionMsMax: 1_000, heartbeatMs: 500, rebalanceMsMax: 10 };
  await expect(openKafkaLog({ ...options, ...times })).rejects.toThrow(/above sessionMsMax.*above a third.*below transactionMsMax/);
});
