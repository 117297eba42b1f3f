/**
 * Each error code of the protocol and the one reaction to it. The table is total: a code that is not here is newer than this
 * program and stops it, since nothing is known about what it left behind.
 *
 *     none          it went well
 *     done          it was done before: a retry whose first try had succeeded
 *     retry         the same again in a moment
 *     refresh       ask anew who leads or coordinates, then again
 *     rejoin        the group has gone on without us: nothing may be committed under the old generation
 *     new-producer  this producer is finished: another one with a new epoch, from the committed offsets
 *     refuse        what was sent is to blame: the same again would be refused again
 *     stop          nothing that this program can do: rights, settings, versions
 */

export type Reaction = "none" | "done" | "retry" | "refresh" | "rejoin" | "new-producer" | "refuse" | "stop";

interface CodeEntry {
  readonly name: string;
  readonly reaction: Reaction;
}

const CODES: Readonly<Record<number | "-1", CodeEntry>> = {
  "-1": { name: "UNKNOWN_SERVER_ERROR", reaction: "stop" },
  0: { name: "NONE", reaction: "none" },
  1: { name: "OFFSET_OUT_OF_RANGE", reaction: "stop" },
  2: { name: "CORRUPT_MESSAGE", reaction: "stop" },
  3: { name: "UNKNOWN_TOPIC_OR_PARTITION", reaction: "refresh" },
  4: { name: "INVALID_FETCH_SIZE", reaction: "stop" },
  5: { name: "LEADER_NOT_AVAILABLE", reaction: "refresh" },
  6: { name: "NOT_LEADER_OR_FOLLOWER", reaction: "refresh" },
  7: { name: "REQUEST_TIMED_OUT", reaction: "retry" },
  8: { name: "BROKER_NOT_AVAILABLE", reaction: "refresh" },
  9: { name: "REPLICA_NOT_AVAILABLE", reaction: "refresh" },
  10: { name: "MESSAGE_TOO_LARGE", reaction: "refuse" },
  11: { name: "STALE_CONTROLLER_EPOCH", reaction: "stop" },
  12: { name: "OFFSET_METADATA_TOO_LARGE", reaction: "refuse" },
  13: { name: "NETWORK_EXCEPTION", reaction: "refresh" },
  14: { name: "COORDINATOR_LOAD_IN_PROGRESS", reaction: "retry" },
  15: { name: "COORDINATOR_NOT_AVAILABLE", reaction: "refresh" },
  16: { name: "NOT_COORDINATOR", reaction: "refresh" },
  17: { name: "INVALID_TOPIC_EXCEPTION", reaction: "stop" },
  18: { name: "RECORD_LIST_TOO_LARGE", reaction: "refuse" },
  19: { name: "NOT_ENOUGH_REPLICAS", reaction: "retry" },
  20: { name: "NOT_ENOUGH_REPLICAS_AFTER_APPEND", reaction: "retry" },
  21: { name: "INVALID_REQUIRED_ACKS", reaction: "stop" },
  22: { name: "ILLEGAL_GENERATION", reaction: "rejoin" },
  23: { name: "INCONSISTENT_GROUP_PROTOCOL", reaction: "stop" },
  24: { name: "INVALID_GROUP_ID", reaction: "stop" },
  25: { name: "UNKNOWN_MEMBER_ID", reaction: "rejoin" },
  26: { name: "INVALID_SESSION_TIMEOUT", reaction: "stop" },
  27: { name: "REBALANCE_IN_PROGRESS", reaction: "rejoin" },
  28: { name: "INVALID_COMMIT_OFFSET_SIZE", reaction: "refuse" },
  29: { name: "TOPIC_AUTHORIZATION_FAILED", reaction: "stop" },
  30: { name: "GROUP_AUTHORIZATION_FAILED", reaction: "stop" },
  31: { name: "CLUSTER_AUTHORIZATION_FAILED", reaction: "stop" },
  32: { name: "INVALID_TIMESTAMP", reaction: "refuse" },
  33: { name: "UNSUPPORTED_SASL_MECHANISM", reaction: "stop" },
  34: { name: "ILLEGAL_SASL_STATE", reaction: "stop" },
  35: { name: "UNSUPPORTED_VERSION", reaction: "stop" },
  36: { name: "TOPIC_ALREADY_EXISTS", reaction: "stop" },
  37: { name: "INVALID_PARTITIONS", reaction: "stop" },
  38: { name: "INVALID_REPLICATION_FACTOR", reaction: "stop" },
  39: { name: "INVALID_REPLICA_ASSIGNMENT", reaction: "stop" },
  40: { name: "INVALID_CONFIG", reaction: "stop" },
  41: { name: "NOT_CONTROLLER", reaction: "refresh" },
  42: { name: "INVALID_REQUEST", reaction: "stop" },
  43: { name: "UNSUPPORTED_FOR_MESSAGE_FORMAT", reaction: "stop" },
  44: { name: "POLICY_VIOLATION", reaction: "stop" },
  45: { name: "OUT_OF_ORDER_SEQUENCE_NUMBER", reaction: "new-producer" },
  46: { name: "DUPLICATE_SEQUENCE_NUMBER", reaction: "done" },
  47: { name: "INVALID_PRODUCER_EPOCH", reaction: "new-producer" },
  48: { name: "INVALID_TXN_STATE", reaction: "new-producer" },
  49: { name: "INVALID_PRODUCER_ID_MAPPING", reaction: "new-producer" },
  50: { name: "INVALID_TRANSACTION_TIMEOUT", reaction: "stop" },
  51: { name: "CONCURRENT_TRANSACTIONS", reaction: "retry" },
  52: { name: "TRANSACTION_COORDINATOR_FENCED", reaction: "new-producer" },
  53: { name: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", reaction: "stop" },
  54: { name: "SECURITY_DISABLED", reaction: "stop" },
  55: { name: "OPERATION_NOT_ATTEMPTED", reaction: "stop" },
  56: { name: "KAFKA_STORAGE_ERROR", reaction: "retry" },
  57: { name: "LOG_DIR_NOT_FOUND", reaction: "stop" },
  58: { name: "SASL_AUTHENTICATION_FAILED", reaction: "stop" },
  59: { name: "UNKNOWN_PRODUCER_ID", reaction: "new-producer" },
  60: { name: "REASSIGNMENT_IN_PROGRESS", reaction: "retry" },
  61: { name: "DELEGATION_TOKEN_AUTH_DISABLED", reaction: "stop" },
  62: { name: "DELEGATION_TOKEN_NOT_FOUND", reaction: "stop" },
  63: { name: "DELEGATION_TOKEN_OWNER_MISMATCH", reaction: "stop" },
  64: { name: "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", reaction: "stop" },
  65: { name: "DELEGATION_TOKEN_AUTHORIZATION_FAILED", reaction: "stop" },
  66: { name: "DELEGATION_TOKEN_EXPIRED", reaction: "stop" },
  67: { name: "INVALID_PRINCIPAL_TYPE", reaction: "stop" },
  68: { name: "NON_EMPTY_GROUP", reaction: "stop" },
  69: { name: "GROUP_ID_NOT_FOUND", reaction: "stop" },
  70: { name: "FETCH_SESSION_ID_NOT_FOUND", reaction: "stop" },
  71: { name: "INVALID_FETCH_SESSION_EPOCH", reaction: "stop" },
  72: { name: "LISTENER_NOT_FOUND", reaction: "refresh" },
  73: { name: "TOPIC_DELETION_DISABLED", reaction: "stop" },
  74: { name: "FENCED_LEADER_EPOCH", reaction: "refresh" },
  75: { name: "UNKNOWN_LEADER_EPOCH", reaction: "refresh" },
  76: { name: "UNSUPPORTED_COMPRESSION_TYPE", reaction: "stop" },
  77: { name: "STALE_BROKER_EPOCH", reaction: "refresh" },
  78: { name: "OFFSET_NOT_AVAILABLE", reaction: "retry" },
  79: { name: "MEMBER_ID_REQUIRED", reaction: "rejoin" },
  80: { name: "PREFERRED_LEADER_NOT_AVAILABLE", reaction: "refresh" },
  81: { name: "GROUP_MAX_SIZE_REACHED", reaction: "stop" },
  82: { name: "FENCED_INSTANCE_ID", reaction: "rejoin" },
  83: { name: "ELIGIBLE_LEADERS_NOT_AVAILABLE", reaction: "refresh" },
  84: { name: "ELECTION_NOT_NEEDED", reaction: "stop" },
  85: { name: "NO_REASSIGNMENT_IN_PROGRESS", reaction: "stop" },
  86: { name: "GROUP_SUBSCRIBED_TO_TOPIC", reaction: "stop" },
  87: { name: "INVALID_RECORD", reaction: "refuse" },
  88: { name: "UNSTABLE_OFFSET_COMMIT", reaction: "retry" },
  89: { name: "THROTTLING_QUOTA_EXCEEDED", reaction: "retry" },
  90: { name: "PRODUCER_FENCED", reaction: "new-producer" },
  91: { name: "RESOURCE_NOT_FOUND", reaction: "stop" },
  92: { name: "DUPLICATE_RESOURCE", reaction: "stop" },
  93: { name: "UNACCEPTABLE_CREDENTIAL", reaction: "stop" },
  94: { name: "INCONSISTENT_VOTER_SET", reaction: "stop" },
  95: { name: "INVALID_UPDATE_VERSION", reaction: "stop" },
  96: { name: "FEATURE_UPDATE_FAILED", reaction: "stop" },
  97: { name: "PRINCIPAL_DESERIALIZATION_FAILURE", reaction: "stop" },
  98: { name: "SNAPSHOT_NOT_FOUND", reaction: "stop" },
  99: { name: "POSITION_OUT_OF_RANGE", reaction: "stop" },
  100: { name: "UNKNOWN_TOPIC_ID", reaction: "refresh" },
  101: { name: "DUPLICATE_BROKER_REGISTRATION", reaction: "stop" },
  102: { name: "BROKER_ID_NOT_REGISTERED", reaction: "stop" },
  103: { name: "INCONSISTENT_TOPIC_ID", reaction: "refresh" },
  104: { name: "INCONSISTENT_CLUSTER_ID", reaction: "stop" },
  105: { name: "TRANSACTIONAL_ID_NOT_FOUND", reaction: "new-producer" },
  106: { name: "FETCH_SESSION_TOPIC_ID_ERROR", reaction: "refresh" },
  107: { name: "INELIGIBLE_REPLICA", reaction: "stop" },
  108: { name: "NEW_LEADER_ELECTED", reaction: "refresh" },
  109: { name: "OFFSET_MOVED_TO_TIERED_STORAGE", reaction: "stop" },
  110: { name: "FENCED_MEMBER_EPOCH", reaction: "rejoin" },
  111: { name: "UNRELEASED_INSTANCE_ID", reaction: "rejoin" },
  112: { name: "UNSUPPORTED_ASSIGNOR", reaction: "stop" },
  113: { name: "STALE_MEMBER_EPOCH", reaction: "rejoin" },
  114: { name: "MISMATCHED_ENDPOINT_TYPE", reaction: "stop" },
  115: { name: "UNSUPPORTED_ENDPOINT_TYPE", reaction: "stop" },
  116: { name: "UNKNOWN_CONTROLLER_ID", reaction: "stop" },
  117: { name: "UNKNOWN_SUBSCRIPTION_ID", reaction: "stop" },
  118: { name: "TELEMETRY_TOO_LARGE", reaction: "stop" },
  119: { name: "INVALID_REGISTRATION", reaction: "stop" },
  120: { name: "TRANSACTION_ABORTABLE", reaction: "new-producer" },
  121: { name: "INVALID_RECORD_STATE", reaction: "stop" },
  122: { name: "SHARE_SESSION_NOT_FOUND", reaction: "stop" },
  123: { name: "INVALID_SHARE_SESSION_EPOCH", reaction: "stop" },
  124: { name: "FENCED_STATE_EPOCH", reaction: "stop" },
  125: { name: "INVALID_VOTER_KEY", reaction: "stop" },
  126: { name: "DUPLICATE_VOTER", reaction: "stop" },
  127: { name: "VOTER_NOT_FOUND", reaction: "stop" },
  128: { name: "INVALID_REGULAR_EXPRESSION", reaction: "stop" },
  129: { name: "REBOOTSTRAP_REQUIRED", reaction: "refresh" },
  130: { name: "STREAMS_INVALID_TOPOLOGY", reaction: "stop" },
  131: { name: "STREAMS_INVALID_TOPOLOGY_EPOCH", reaction: "stop" },
  132: { name: "STREAMS_TOPOLOGY_FENCED", reaction: "stop" },
  133: { name: "SHARE_SESSION_LIMIT_REACHED", reaction: "stop" },
};

/** Codes that this program compares by name. */
export const NONE = 0;
export const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const UNKNOWN_MEMBER_ID = 25;
export const REBALANCE_IN_PROGRESS = 27;
export const TOPIC_ALREADY_EXISTS = 36;
export const INVALID_PRODUCER_EPOCH = 47;
export const CONCURRENT_TRANSACTIONS = 51;
export const MEMBER_ID_REQUIRED = 79;
export const FENCED_INSTANCE_ID = 82;
export const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53;
export const UNSTABLE_OFFSET_COMMIT = 88;
export const PRODUCER_FENCED = 90;

export function reactionTo(code: number): Reaction {
  return entryOf(code)?.reaction ?? "stop";
}

/** For messages: the name and the number. */
export function nameOfCode(code: number): string {
  return `${entryOf(code)?.name ?? "an unknown code"} (${code})`;
}

function entryOf(code: number): CodeEntry | undefined {
  return code === -1 ? CODES["-1"] : CODES[code];
}
