/** Every setting of the command: flag, environment variables, default, meaning and range. Nothing is read here. */

export interface Definition {
  /** The first is the one that is shown; the others are names that people know from elsewhere. */
  readonly variables: readonly [string, ...string[]];
  /** Another name of the flag. */
  readonly alias?: string;
  /** Empty: there is none, and the setting may be left out. */
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed?: readonly string[];
  /** Whole numbers, both ends allowed. */
  readonly range?: readonly [least: number, most: number];
  /** From the environment, or from the file that the variable with `_FILE` names; never by flag, never shown. */
  readonly secret?: true;
  /** A flag without a value; `yes`, `true`, `1` and their opposites in the environment. */
  readonly switch?: true;
}

const yesNo = ["yes", "no"] as const;

export const definitions = {
  log: {
    variables: ["SLACKLINE_LOG"],
    fallback: "auto",
    meaning: "where records rest (auto: on Kafka when brokers are given)",
    allowed: ["auto", "embedded", "kafka"],
  },
  kafka: { variables: ["KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS"], fallback: "", meaning: "brokers to begin with, HOST:PORT,…" },
  registry: {
    variables: ["SCHEMA_REGISTRY_URL"],
    fallback: "",
    meaning: "address of a schema registry; `topic`: ids are kept on a topic of the log",
  },
  "register-schemas": {
    variables: ["SLACKLINE_REGISTER_SCHEMAS"],
    fallback: "no",
    meaning: "register schemas that the registry does not have",
    allowed: yesNo,
    switch: true,
  },
  application: {
    variables: ["SLACKLINE_APPLICATION"],
    fallback: "slackline-dispatch",
    meaning: "consumer group, and prefix of everything internal",
  },
  dir: { variables: ["SLACKLINE_DIR"], alias: "directory", fallback: ".slackline", meaning: "folder of the database" },
  disk: {
    variables: ["SLACKLINE_DISK"],
    fallback: "auto",
    meaning: "storage engine",
    allowed: ["auto", "rocksdb", "classic-level", "memory"],
  },
  durability: {
    variables: ["SLACKLINE_DURABILITY"],
    fallback: "power",
    meaning: "commits survive loss of power, or only the death of the process",
    allowed: ["power", "process"],
  },
  threads: { variables: ["SLACKLINE_THREADS"], fallback: "1", meaning: "stream threads", range: [1, 64] },
  partitions: {
    variables: ["SLACKLINE_PARTITIONS"],
    fallback: "4",
    meaning: "partitions of each topic when it is created",
    range: [1, 1024],
  },
  replication: {
    variables: ["SLACKLINE_REPLICATION"],
    fallback: "",
    meaning: "replicas of topics that are created; default the brokers'",
    range: [1, 32],
  },
  "commit-interval": {
    variables: ["SLACKLINE_COMMIT_INTERVAL_MS"],
    fallback: "",
    meaning: "ms between commits; default 100, embedded 20",
    range: [1, 60_000],
  },
  "session-timeout": {
    variables: ["KAFKA_SESSION_TIMEOUT_MS"],
    fallback: "10000",
    meaning: "ms until a silent member is out of the group",
    range: [1_000, 1_800_000],
  },
  heartbeat: {
    variables: ["KAFKA_HEARTBEAT_INTERVAL_MS"],
    fallback: "200",
    meaning: "ms between heartbeats, at most a third of the session timeout",
    range: [10, 600_000],
  },
  "rebalance-timeout": {
    variables: ["KAFKA_REBALANCE_TIMEOUT_MS"],
    fallback: "30000",
    meaning: "ms that the group waits for its members",
    range: [1_000, 1_800_000],
  },
  "transaction-timeout": {
    variables: ["KAFKA_TRANSACTION_TIMEOUT_MS"],
    fallback: "10000",
    meaning: "ms until the broker aborts an open transaction, at most the session timeout",
    range: [1_000, 900_000],
  },
  compression: {
    variables: ["KAFKA_COMPRESSION"],
    fallback: "none",
    meaning: "of what is written to Kafka",
    allowed: ["none", "lz4", "zstd"],
  },
  "kafka-tls": {
    variables: ["KAFKA_TLS", "KAFKA_SSL"],
    fallback: "no",
    meaning: "talk TLS to the brokers, always verified",
    allowed: yesNo,
    switch: true,
  },
  "kafka-ca": { variables: ["KAFKA_TLS_CA_FILE"], fallback: "", meaning: "PEM file of the authority of the brokers" },
  "kafka-cert": { variables: ["KAFKA_TLS_CERT_FILE"], fallback: "", meaning: "PEM file of our certificate" },
  "kafka-key": { variables: ["KAFKA_TLS_KEY_FILE"], fallback: "", meaning: "PEM file of our key" },
  "kafka-key-passphrase": { variables: ["KAFKA_TLS_KEY_PASSPHRASE"], fallback: "", meaning: "of that key", secret: true },
  "kafka-sasl": {
    variables: ["KAFKA_SASL_MECHANISM"],
    fallback: "",
    meaning: "login to the brokers",
    allowed: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
  },
  "kafka-token-file": {
    variables: ["KAFKA_SASL_TOKEN_FILE"],
    fallback: "",
    meaning: "file with the bearer token of that login, read at each login; for OAUTHBEARER",
  },
  "kafka-username": { variables: ["KAFKA_SASL_USERNAME"], fallback: "", meaning: "of that login" },
  "kafka-password": { variables: ["KAFKA_SASL_PASSWORD"], fallback: "", meaning: "of that login", secret: true },
  "registry-username": { variables: ["SCHEMA_REGISTRY_USERNAME"], fallback: "", meaning: "login to the registry" },
  "registry-password": { variables: ["SCHEMA_REGISTRY_PASSWORD"], fallback: "", meaning: "of that login", secret: true },
  "registry-token": {
    variables: ["SCHEMA_REGISTRY_TOKEN"],
    fallback: "",
    meaning: "bearer token for the registry, instead of a login",
    secret: true,
  },
  "registry-ca": { variables: ["SCHEMA_REGISTRY_CA_FILE"], fallback: "", meaning: "PEM file of the authority of the registry" },
  "registry-cert": { variables: ["SCHEMA_REGISTRY_CERT_FILE"], fallback: "", meaning: "PEM file of our certificate for the registry" },
  "registry-key": { variables: ["SCHEMA_REGISTRY_KEY_FILE"], fallback: "", meaning: "PEM file of our key for the registry" },
  port: {
    variables: ["PORT"],
    alias: "http",
    fallback: "7400",
    meaning: "HTTP port; the next free one if it is taken",
    range: [0, 65_535],
  },
  standbys: {
    variables: ["SLACKLINE_STANDBYS"],
    fallback: "1",
    meaning: "copies of each task's state on other instances; the same in all of them",
    range: [0, 8],
  },
  advertise: {
    variables: ["SLACKLINE_ADVERTISE"],
    fallback: "",
    meaning: "HOST:PORT at which other instances reach this one; default its own",
  },
  peers: {
    variables: ["SLACKLINE_PEERS"],
    fallback: "",
    meaning: "other instances that may be asked: HOST:PORT, *.SUFFIX:PORT or CIDR:PORT, separated by commas; none: nobody is",
  },
  "instance-token": {
    variables: ["SLACKLINE_INSTANCE_TOKEN"],
    fallback: "",
    meaning: "with which instances ask each other; the same in all of them",
    secret: true,
  },
  host: { variables: ["HOST"], fallback: "127.0.0.1", meaning: "HTTP address" },
  "shutdown-timeout": {
    variables: ["SLACKLINE_SHUTDOWN_TIMEOUT_MS"],
    fallback: "30000",
    meaning: "ms to drain after SIGTERM",
    range: [100, 600_000],
  },
  "log-level": {
    variables: ["LOG_LEVEL"],
    fallback: "warn",
    meaning: "least severe line that is logged",
    allowed: ["debug", "info", "warn", "error", "silent"],
  },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof definitions;

export const settingNames = Object.keys(definitions).filter((name): name is SettingName => name in definitions);

export function definitionOf(name: SettingName): Definition {
  return definitions[name];
}

/** What whoever reaches, connects or serves needs to know. */
export const connectionSettings: readonly SettingName[] = settingNames.filter((name) =>
  /^(?:log|kafka|registry)(?:-(?!level)|$)/.test(name),
);

/** How an application lives on Kafka, beside where it is. */
export const kafkaLifeSettings: readonly SettingName[] = [
  "register-schemas",
  "replication",
  "session-timeout",
  "heartbeat",
  "rebalance-timeout",
  "transaction-timeout",
  "compression",
];
