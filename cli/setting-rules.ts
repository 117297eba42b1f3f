/** What settings must be beside each other, and what must not be set at all. */
import { definitionOf, settingNames, type SettingName } from "./setting-definitions.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables with our prefixes that no setting of this command reads, and others do. */
const OTHERS = new Set(["SLACKLINE_TOKENS", "SLACKLINE_TOKENS_FILE", "SLACKLINE_KILLS", "SLACKLINE_DATA"]);
const OURS = /^(?:SLACKLINE_|KAFKA_SASL_|KAFKA_TLS_|SCHEMA_REGISTRY_)/;
/** What Kubernetes adds to the environment for each service that it knows. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_\w+)?)?)$/;
const FALSE = /^(?:false|no|0|off)$/i;

/** A name that is nearly right would be overlooked in silence. */
export function unknownVariables(environment: Environment): readonly string[] {
  const known = new Set(settingNames.flatMap((name) => variablesOf(name)));
  return Object.keys(environment)
    .filter(
      (name) =>
        OURS.test(name) && !known.has(name) && !OTHERS.has(name) && !SERVICE_LINK.test(name) && !name.endsWith("REJECT_UNAUTHORIZED"),
    )
    .map((name) => `${name}: there is no such setting; slackline config lists all`);
}

/** Nothing turns the verification of brokers, registries and other servers off. */
export function forbiddenVariables(environment: Environment): readonly string[] {
  return Object.entries(environment)
    .filter(([name, value]) => name.endsWith("REJECT_UNAUTHORIZED") && FALSE.test(value ?? ""))
    .map(([name, value]) => `${name}: "${value ?? ""}" is refused: servers are always verified; give the authority's PEM file instead`);
}

/** `name` is how the person gave the setting. */
export function checkTogether(value: (name: SettingName) => string, name: (name: SettingName) => string): readonly string[] {
  const problems: string[] = [];
  const refuse = (setting: SettingName, reason: string): void => void problems.push(`${name(setting)}: ${reason}`);
  const number = (setting: SettingName): number => Number(value(setting));
  if (number("heartbeat") * 3 > number("session-timeout"))
    refuse("heartbeat", `${value("heartbeat")} ms is more than a third of the session timeout (${value("session-timeout")} ms)`);
  if (number("transaction-timeout") > number("session-timeout"))
    refuse(
      "transaction-timeout",
      `${value("transaction-timeout")} ms is above the session timeout (${value("session-timeout")} ms): takeovers would wait for it`,
    );
  if (value("commit-interval") !== "" && number("commit-interval") * 2 > number("transaction-timeout"))
    refuse(
      "commit-interval",
      `${value("commit-interval")} ms leaves no room in the transaction timeout (${value("transaction-timeout")} ms): at most half`,
    );
  if (value("advertise") !== "" && !/^\[?[\w.:-]+\]?:\d{1,5}$/.test(value("advertise")))
    refuse("advertise", `"${value("advertise")}" is not HOST:PORT`);
  checkKafka(value, refuse);
  checkRegistry(value, refuse);
  return problems;
}

type Refuse = (setting: SettingName, reason: string) => void;

function checkKafka(value: (name: SettingName) => string, refuse: Refuse): void {
  for (const broker of value("kafka").split(","))
    if (value("kafka") !== "" && !/^\[?[\w.:-]+\]?:\d{1,5}$/.test(broker.trim())) refuse("kafka", `"${broker}" is not HOST:PORT`);
  if (value("log") === "kafka" && value("kafka") === "") refuse("kafka", "must not be empty with --log kafka");
  const sasl = value("kafka-sasl");
  const bearer = sasl === "OAUTHBEARER";
  for (const [part, wanted] of [
    ["kafka-username", !bearer],
    ["kafka-password", !bearer],
    ["kafka-token-file", bearer],
  ] as const) {
    if (sasl !== "" && wanted && value(part) === "") refuse(part, `must not be empty with ${sasl}`);
    if (sasl !== "" && !wanted && value(part) !== "") refuse(part, `is not for ${sasl}`);
    if (sasl === "" && value(part) !== "") refuse(part, "is given without KAFKA_SASL_MECHANISM");
  }
  if ((sasl === "PLAIN" || bearer) && value("kafka-tls") === "no")
    refuse("kafka-sasl", `${sasl} would send its secret over an open line: set KAFKA_TLS, or use SCRAM`);
  for (const part of ["kafka-ca", "kafka-cert", "kafka-key"] as const)
    if (value(part) !== "" && value("kafka-tls") === "no") refuse(part, "is given without KAFKA_TLS");
  if ((value("kafka-cert") === "") !== (value("kafka-key") === "")) refuse("kafka-cert", "certificate and key belong together");
}

function checkRegistry(value: (name: SettingName) => string, refuse: Refuse): void {
  const url = value("registry");
  if (url !== "" && url !== "topic") {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) refuse("registry", "is no http or https address");
    else if (parsed.username !== "" || parsed.password !== "")
      refuse("registry", "holds a login, which would be seen: use SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD");
  }
  if ((value("registry-username") === "") !== (value("registry-password") === ""))
    refuse("registry-username", "user and password belong together");
  if (value("registry-token") !== "" && value("registry-username") !== "") refuse("registry-token", "a token or a login, not both");
  if ((value("registry-cert") === "") !== (value("registry-key") === "")) refuse("registry-cert", "certificate and key belong together");
}

function variablesOf(name: SettingName): readonly string[] {
  const { variables, secret } = definitionOf(name);
  return secret === true ? variables.flatMap((variable) => [variable, `${variable}_FILE`]) : variables;
}
