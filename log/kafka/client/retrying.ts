/** Asks again until there is an answer to go on with, with full jitter between the tries and one deadline over all of them. */
import { LogError } from "../../errors.ts";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, SHORT_BACKOFF_BASE_MS, SHORT_BACKOFF_CAP_MS } from "../defaults.ts";
import type { Surroundings } from "../defaults.ts";
import { CONCURRENT_TRANSACTIONS, nameOfCode, reactionTo, UNSTABLE_OFFSET_COMMIT } from "./error-codes.ts";
import { WireError } from "./wire-error.ts";

export interface Attempts {
  /** For messages: what is tried. */
  readonly what: string;
  readonly msMax: number;
  /** Before the next try after "refresh" and after a lost answer. May reject with a WireError. */
  readonly refresh: () => Promise<void>;
  /** Ends the tries with `LOG_UNAVAILABLE`. */
  readonly stopped?: () => boolean;
  /** Between two tries; default: as long as asked. One that is cut short leaves no timer behind. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Any code but those that `retry` and `refresh` stand for ends the tries: it is the caller's to judge. */
export async function retrying<T>(
  { what, msMax, refresh, stopped, pause }: Attempts,
  { now, random, after }: Surroundings,
  attempt: () => Promise<{ readonly code: number; readonly value: T }>,
): Promise<{ readonly code: number; readonly value: T }> {
  const until = now() + msMax;
  for (let tries = 0; ; tries++) {
    let last: unknown;
    let short = false;
    try {
      const answer = await attempt();
      const reaction = reactionTo(answer.code);
      if (reaction !== "retry" && reaction !== "refresh") return answer;
      last = nameOfCode(answer.code);
      short = isShort(answer.code);
      if (reaction === "refresh") await refresh();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (error.failure === "refused") throw unavailable(what, error);
      last = error;
      await refresh().catch(ignoreLost);
    }
    if (stopped?.() === true) throw closed(what, last);
    const pauseMs = backoffMs(tries, random(), short);
    if (now() + pauseMs >= until) throw unavailable(`${what} within ${msMax} ms`, last);
    await (pause?.(pauseMs) ?? new Promise<void>((resolve) => void after(pauseMs, resolve)));
    if (stopped?.() === true) throw closed(what, last);
  }
}

/** Full jitter: anything between 1 ms and a bound that doubles up to its cap. */
export function backoffMs(tries: number, chance: number, short: boolean): number {
  const base = short ? SHORT_BACKOFF_BASE_MS : BACKOFF_BASE_MS;
  const cap = short ? SHORT_BACKOFF_CAP_MS : BACKOFF_CAP_MS;
  return 1 + chance * (Math.min(cap, base * 2 ** Math.min(tries, 20)) - 1);
}

/** Over in milliseconds as a rule: the markers of a transaction are on their way. */
function isShort(code: number): boolean {
  return code === CONCURRENT_TRANSACTIONS || code === UNSTABLE_OFFSET_COMMIT;
}

/** A WireError when the cluster is out of reach just now; the next try says more. */
function ignoreLost(error: unknown): void {
  if (!(error instanceof WireError || error instanceof LogError)) throw error;
}

function closed(what: string, cause: unknown): LogError {
  return unavailable(`${what} while it was closed`, cause);
}

function unavailable(what: string, cause: unknown): LogError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LogError("LOG_UNAVAILABLE", `Kafka did not answer ${what}: ${why} Check the brokers, then try again.`, { cause });
}
