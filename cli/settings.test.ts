import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliError } from "./errors.ts";
import { definitionOf, settingNames } from "./setting-definitions.ts";
import { readSettings } from "./settings.ts";
import { kafkaOptions, registryEndpoint } from "./system/connections.ts";

function problemsOf(flags: Readonly<Record<string, string | number>>, environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readSettings(flags, environment);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    expect((error as CliError).exitCode).toBe(2);
    return (error as CliError).message.split("\n");
  }
}

test("a flag wins over the environment, the environment over the default, and each says where it came from", () => {
  const settings = readSettings({ port: 7500, logLevel: "debug" }, { PORT: "7600", SLACKLINE_THREADS: "2" });
  expect([settings.port.value, settings.port.source]).toEqual(["7500", "flag"]);
  expect([settings["log-level"].value, settings["log-level"].source]).toEqual(["debug", "flag"]);
  expect([settings.threads.value, settings.threads.source]).toEqual(["2", "environment"]);
  expect([settings.durability.value, settings.durability.source]).toEqual(["power", "default"]);
});

test("every setting has a variable of its own, and the names that people know are heard", () => {
  const variables = settingNames.flatMap((name) => definitionOf(name).variables);
  expect(new Set(variables).size).toBe(variables.length);
  const settings = readSettings(
    {},
    { KAFKA_BOOTSTRAP_SERVERS: "one:9092,two:9092", SCHEMA_REGISTRY_URL: "http://registry:8081", KAFKA_SSL: "true" },
  );
  expect(kafkaOptions(settings)).toMatchObject({ brokers: ["one:9092", "two:9092"], tls: {} });
  expect(registryEndpoint(settings)).toEqual({ url: "http://registry:8081" });
});

test("all problems are named at once, by the names under which they were given", () => {
  const problems = problemsOf(
    { threads: "none" },
    {
      PORT: "99999",
      SLACKLINE_DISK: "tape",
      SLACKLINE_REPLICATION: "0",
      SLACKLINE_THREDS: "2",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      KAFKA_HEARTBEAT_INTERVAL_MS: "4000",
      KAFKA_TRANSACTION_TIMEOUT_MS: "60000",
      KAFKA_BROKERS: "somewhere",
      KAFKA_SASL_MECHANISM: "PLAIN",
      SCHEMA_REGISTRY_URL: "http://user:hush@registry:8081",
    },
  );
  const of = (name: string): string => problems.find((line) => line.startsWith(`${name}:`)) ?? "";
  for (const name of ["--threads", "PORT", "SLACKLINE_DISK", "SLACKLINE_REPLICATION", "SLACKLINE_THREDS", "KAFKA_BROKERS"])
    expect(of(name), name).not.toBe("");
  expect(of("NODE_TLS_REJECT_UNAUTHORIZED")).toContain("always verified");
  expect(of("KAFKA_HEARTBEAT_INTERVAL_MS")).toContain("third");
  expect(of("KAFKA_TRANSACTION_TIMEOUT_MS")).toContain("session timeout");
  expect(of("KAFKA_SASL_MECHANISM")).toContain("open line");
  expect(of("SCHEMA_REGISTRY_URL")).toContain("SCHEMA_REGISTRY_USERNAME");
  expect(problems.join("\n")).not.toContain("hush");
});

test("commit interval and transaction timeout, certificate and key, user and password stand together", () => {
  expect(problemsOf({ commitInterval: 6_000 }, {})).toEqual([expect.stringContaining("--commit-interval")]);
  expect(problemsOf({}, { KAFKA_TLS: "yes", KAFKA_TLS_CERT_FILE: "cert.pem" })).toEqual([expect.stringContaining("belong together")]);
  expect(problemsOf({}, { KAFKA_TLS_CA_FILE: "ca.pem" })).toEqual([expect.stringContaining("without KAFKA_TLS")]);
  expect(problemsOf({}, { KAFKA_SASL_PASSWORD: "hush" })).toEqual([expect.not.stringContaining("hush")]);
  expect(problemsOf({}, { KAFKA_SASL_MECHANISM: "GSSAPI" })).toHaveLength(3);
  // What Kubernetes adds for a service of our name is no setting.
  expect(
    problemsOf({}, { SLACKLINE_SERVICE_HOST: "10.0.0.1", SLACKLINE_PORT_80_TCP_ADDR: "10.0.0.1", SLACKLINE_PORT: "tcp://10.0.0.1:80" }),
  ).toEqual([]);
});

test("a secret comes from the environment or a file, and is shown nowhere", () => {
  const folder = mkdtempSync(join(tmpdir(), "slackline-settings-"));
  try {
    const file = join(folder, "password");
    writeFileSync(file, "from a file\n");
    const environment = {
      KAFKA_BROKERS: "a:1",
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
      KAFKA_SASL_USERNAME: "me",
      KAFKA_SASL_PASSWORD_FILE: file,
    };
    const settings = readSettings({ kafkaPassword: "by flag" }, { ...environment, SCHEMA_REGISTRY_TOKEN: "hush" });
    expect([settings["kafka-password"].shown, settings["kafka-password"].source]).toEqual(["********", "file"]);
    expect([settings["registry-token"].shown, settings["registry-token"].source]).toEqual(["********", "environment"]);
    expect(kafkaOptions(settings)?.sasl).toEqual({ mechanism: "SCRAM-SHA-512", username: "me", password: "from a file" });
    expect(problemsOf({}, { ...environment, KAFKA_SASL_PASSWORD_FILE: join(folder, "none") }).join()).toContain("cannot be read");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
