/** Settings to what log and registry are opened with. Files are read here; what they hold is shown nowhere. */
import { readFileSync } from "node:fs";
import type { Compression, KafkaLogOptions, KafkaSasl } from "#log";
import type { RegistryEndpoint } from "#schemas";
import { CliError } from "../errors.ts";
import type { SettingName } from "../setting-definitions.ts";
import { numberOf, type Settings } from "../settings.ts";

/** Undefined: the embedded log. Throws CliError `USAGE` for a file that cannot be read. */
export function kafkaOptions(settings: Settings): KafkaLogOptions | undefined {
  const { kafka, log, application, replication, compression } = settings;
  if (log.value === "embedded" || kafka.value === "") return undefined;
  const replicationFactor = numberOf(replication);
  const sasl = saslOf(settings);
  return {
    brokers: kafka.value.split(",").map((broker) => broker.trim()),
    clientId: application.value,
    // The reader of the settings lets no other values pass.
    compression: compression.value as Compression,
    sessionMsMax: Number(settings["session-timeout"].value),
    heartbeatMs: Number(settings.heartbeat.value),
    rebalanceMsMax: Number(settings["rebalance-timeout"].value),
    transactionMsMax: Number(settings["transaction-timeout"].value),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(settings["kafka-tls"].value === "yes"
      ? { tls: { ...pems(settings, { ca: "kafka-ca", cert: "kafka-cert", key: "kafka-key" }), ...passphrase(settings) } }
      : {}),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

/** Undefined: ids are kept on a topic of the log. Throws CliError `USAGE` for a file that cannot be read. */
export function registryEndpoint(settings: Settings): RegistryEndpoint | undefined {
  const url = settings.registry.value;
  if (url === "" || url === "topic") return undefined;
  const [username, password, token] = [
    settings["registry-username"].value,
    settings["registry-password"].value,
    settings["registry-token"].value,
  ];
  const tls = pems(settings, { ca: "registry-ca", cert: "registry-cert", key: "registry-key" });
  return {
    url,
    ...(username === "" ? {} : { auth: { username, password } }),
    ...(token === "" ? {} : { auth: { token } }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

function saslOf(settings: Settings): KafkaSasl | undefined {
  const mechanism = settings["kafka-sasl"].value;
  if (mechanism === "") return undefined;
  if (mechanism === "OAUTHBEARER") return { mechanism, tokenFile: settings["kafka-token-file"].value };
  const login = { username: settings["kafka-username"].value, password: settings["kafka-password"].value };
  // The reader of the settings lets no other values pass.
  return { mechanism: mechanism as "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512", ...login };
}

function passphrase(settings: Settings): { readonly passphrase?: string } {
  const { value } = settings["kafka-key-passphrase"];
  return value === "" ? {} : { passphrase: value };
}

function pems<N extends string>(settings: Settings, files: Readonly<Record<N, SettingName>>): { readonly [K in N]?: string } {
  const read = Object.entries<SettingName>(files).flatMap(([part, name]): [string, string][] => {
    const { value, variable } = settings[name];
    if (value === "") return [];
    try {
      return [[part, readFileSync(value, "utf8")]];
    } catch (cause) {
      throw new CliError("USAGE", `${variable}: ${value} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  });
  return Object.fromEntries(read) as { readonly [K in N]?: string }; // the names are those of `files`
}
