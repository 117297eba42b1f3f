/** TLS and SASL on a real broker: who is who they say gets in, and everybody else is told by name why not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { produce, readValues, topicOf } from "../conformance/log-under-test.ts";
import type { KafkaSecurity } from "./client/security.ts";
import { openKafkaLog } from "./kafka-log.ts";
import { KafkaCluster } from "./testing/kafka-cluster.ts";
import { whyNoCluster } from "./testing/kafka-broker.ts";
import { TestAuthority, whyNoCertificates } from "./testing/test-certificates.ts";

const missing = whyNoCluster() ?? whyNoCertificates();
const WAIT_MS_MAX = 15_000;
const alice = { username: "alice", password: "a-secret-of-alice" };

/** Unsecured, as brokers take it only in tests. */
function tokenFor(sub: string, lifeMs: number): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub, iat: now - 120, exp: now + lifeMs / 1_000 };
  return `${[{ alg: "none" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.`;
}

describe.skipIf(missing !== undefined)(`secured listeners${missing === undefined ? "" : `: ${missing}`}`, () => {
  let cluster: KafkaCluster | undefined;
  let ca = "";
  let strangers = "";
  const directory = mkdtempSync(join(tmpdir(), "kafka-certificates-"));
  beforeAll(async () => {
    const authority = await TestAuthority.create(directory);
    const good = await authority.sign("broker");
    const expired = await authority.sign("old-broker", { expired: true });
    const other = await authority.sign("other-broker", { host: "other.example" });
    ca = authority.ca;
    strangers = (await TestAuthority.create(directory, "stranger")).ca;
    cluster = await KafkaCluster.start({
      users: [alice],
      secured: {
        TLS: { protocol: "SSL", ...good },
        EXPIRED: { protocol: "SSL", ...expired },
        OTHER: { protocol: "SSL", ...other },
        PLAINUSER: { protocol: "SASL_SSL", ...good, mechanism: "PLAIN" },
        SCRAM256: { protocol: "SASL_SSL", ...good, mechanism: "SCRAM-SHA-256" },
        TOKEN: { protocol: "SASL_SSL", ...good, mechanism: "OAUTHBEARER" },
        SCRAM512: { protocol: "SASL_PLAINTEXT", mechanism: "SCRAM-SHA-512" },
      },
    });
  }, 120_000);
  afterAll(async () => {
    await cluster?.close();
    rmSync(directory, { recursive: true });
  }, 60_000);

  async function roundTrip(listener: string, security: KafkaSecurity): Promise<(string | null)[]> {
    const log = await openKafkaLog({ brokers: cluster?.secured(listener) ?? [], clientId: "test", ...security });
    try {
      const topic = await topicOf(log);
      await produce(log, topic, 0, ["a", "b"]);
      return await readValues(log, topic, 0, 2, WAIT_MS_MAX);
    } finally {
      await log.close();
    }
  }

  async function refusal(listener: string, security: KafkaSecurity): Promise<{ readonly code: string; readonly text: string }> {
    const log = openKafkaLog({ brokers: cluster?.secured(listener) ?? [], clientId: "test", ...security });
    try {
      await (await log).close();
    } catch (error) {
      const all: string[] = [];
      for (let each = error; each instanceof Error; each = each.cause) all.push(each.message);
      return { code: (error as { readonly code?: string }).code ?? "", text: all.join(" < ") };
    }
    return { code: "none", text: "" };
  }

  test.each<[string, () => KafkaSecurity]>([
    ["TLS", () => ({ tls: { ca } })],
    ["PLAINUSER", () => ({ tls: { ca }, sasl: { mechanism: "PLAIN", ...alice } })],
    ["SCRAM256", () => ({ tls: { ca }, sasl: { mechanism: "SCRAM-SHA-256", ...alice } })],
    ["SCRAM512", () => ({ sasl: { mechanism: "SCRAM-SHA-512", ...alice } })],
  ])("records go to and fro at the listener %s", async (listener, security) => {
    expect(await roundTrip(listener, security())).toEqual(["a", "b"]);
  });

  test("a token out of a file is taken, and the next one is read before its time is over", { timeout: 60_000 }, async () => {
    const tokenFile = join(directory, "token");
    const lifeMs = 6_000;
    writeFileSync(tokenFile, tokenFor("alice", lifeMs));
    const security: KafkaSecurity = { tls: { ca }, sasl: { mechanism: "OAUTHBEARER", tokenFile } };
    const log = await openKafkaLog({ brokers: cluster?.secured("TOKEN") ?? [], clientId: "test", ...security });
    const topic = await topicOf(log);
    await produce(log, topic, 0, ["a"]);
    // It is replaced long before it is over; connections outlive it.
    writeFileSync(tokenFile, tokenFor("alice", 600_000));
    await sleep(1.5 * lifeMs);
    await produce(log, topic, 0, ["b"]);
    expect(await readValues(log, topic, 0, 2, WAIT_MS_MAX)).toEqual(["a", "b"]);
    await log.close();
  });

  test.each<[string, string, () => KafkaSecurity, RegExp]>([
    ["an expired certificate", "EXPIRED", () => ({ tls: { ca } }), /expired/i],
    ["a certificate of another host", "OTHER", () => ({ tls: { ca } }), /altnames|host/i],
    ["a certificate of an unknown authority", "TLS", () => ({ tls: { ca: strangers } }), /self.signed|unable to (?:get|verify)/i],
    ["a wrong password", "SCRAM512", () => ({ sasl: { mechanism: "SCRAM-SHA-512", ...alice, password: "not-hers" } }), /authenti/i],
    [
      "a wrong password over TLS",
      "PLAINUSER",
      () => ({ tls: { ca }, sasl: { mechanism: "PLAIN", ...alice, password: "not-hers" } }),
      /authenti/i,
    ],
    [
      "a token that is over",
      "TOKEN",
      () => {
        const tokenFile = join(directory, "old-token");
        writeFileSync(tokenFile, tokenFor("alice", -60_000));
        return { tls: { ca }, sasl: { mechanism: "OAUTHBEARER", tokenFile } };
      },
      /was good until/,
    ],
    [
      "a token that the broker does not take",
      "TOKEN",
      () => ({ tls: { ca }, sasl: { mechanism: "OAUTHBEARER", token: () => "not-hers" } }),
      /does not take the token/,
    ],
    ["a mechanism that the listener has not", "SCRAM512", () => ({ sasl: { mechanism: "SCRAM-SHA-256", ...alice } }), /mechanism/i],
  ])("%s is refused at once, by name, and no secret is told", async (_, listener, security, reason) => {
    const begun = performance.now();
    const { code, text } = await refusal(listener, security());
    expect(code).toBe("LOG_UNAVAILABLE");
    expect(text).toMatch(reason);
    expect(text).not.toContain("secret");
    expect(text).not.toContain("not-hers");
    // No retry helps: the wrong certificate is not tried for half a minute.
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
