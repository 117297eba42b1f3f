/** What to grant to whom when Kafka refuses for lack of rights, in the words of Kafka's own tools. */
import { LogError, type LogErrorFacts } from "../../errors.ts";
import { nameOfCode } from "./error-codes.ts";
import type { KafkaSecurity } from "./security.ts";

const FORBIDDEN: ReadonlySet<number> = new Set([29, 30, 31, 53, 65]);

export interface Refusal {
  readonly code: number;
  /** For messages: what was asked for. */
  readonly what: string;
  /** For messages: `Write on the topic NAME`. */
  readonly needs: string;
  /** As whom we asked. */
  readonly principal: string;
}

/** Whether an operator could grant what is missing. */
export function isForbidden(code: number): boolean {
  return FORBIDDEN.has(code);
}

/** A sentence for either kind of refusal that no retry of the same changes by itself. */
export function remedyOf({ code, needs, principal }: Refusal): string {
  return isForbidden(code) ? `Grant ${principal} ${needs}.` : "Check the settings of cluster and topic.";
}

/** `LOG_FORBIDDEN` where rights are missing, `LOG_UNAVAILABLE` otherwise. */
export function refusedError(refusal: Refusal, facts: LogErrorFacts = {}): LogError {
  const { code, what } = refusal;
  const kind = isForbidden(code) ? "LOG_FORBIDDEN" : "LOG_UNAVAILABLE";
  return new LogError(kind, `Kafka refuses ${what}: ${nameOfCode(code)}. ${remedyOf(refusal)}`, facts);
}

/** As brokers name their clients in rules and logs, where the client can know it. */
export function principalOf({ tls, sasl }: KafkaSecurity): string {
  if (sasl === undefined) return tls?.cert === undefined ? "User:ANONYMOUS" : "the principal of the client's certificate";
  return sasl.mechanism === "OAUTHBEARER" ? "the principal of the token" : `User:${sasl.username}`;
}
