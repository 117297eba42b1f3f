/** Where other instances ask this one: answered from what is here, never passed on a second time. */
import type { FastifyInstance } from "fastify";
import { ApiError } from "../errors.ts";
import type { Answer, Queries } from "../queries/queries.ts";
import { DEADLINE_HEADER, FORWARD_PATH, HOP_HEADER } from "./forward-client.ts";
import { asStandby, RETRY_AFTER_MS } from "./instance-ownership.ts";
import { askKeyed, keyedArgument, nearbyArgument, storeOf, type KeyedArgument, type KeyedQuestion } from "./questions.ts";

export interface ForwardRoutesOptions {
  /** Of this process alone, which knows what is not here: see `instanceOwnership`. */
  readonly local: Queries;
  /** Records that this instance is behind the one that has the key's partition; Infinity where it does not follow it. */
  readonly lag: (question: KeyedQuestion, key: string) => Promise<number>;
}

const DEADLINE_MS_MAX = 10_000;
const ARGUMENT_CHARACTERS_MAX = 64 * 1024;

export function forwardRoutes(app: FastifyInstance, options: ForwardRoutesOptions, done: () => void): void {
  app.get<{ Querystring: { question: string; argument: string } }>(
    FORWARD_PATH,
    {
      config: { scope: "instance" },
      schema: {
        hide: true,
        querystring: {
          type: "object",
          additionalProperties: false,
          required: ["question", "argument"],
          properties: {
            question: { type: "string", enum: ["driver", "job", "assignment", "queue", "nearby"] },
            argument: { type: "string", maxLength: ARGUMENT_CHARACTERS_MAX },
          },
        },
      },
    },
    ({ headers, query: { question, argument } }) => {
      if (headers[HOP_HEADER] !== "1") throw new ApiError("FORWARD_REFUSED", "a question is passed on once: its hop header must be 1");
      const msLeft = Number(headers[DEADLINE_HEADER]);
      if (!(msLeft > 0)) throw late();
      return within(Math.min(msLeft, DEADLINE_MS_MAX), answerTo(options, question, parsed(argument)));
    },
  );
  done();
}

function answerTo({ local, lag }: ForwardRoutesOptions, question: string, argument: unknown): Promise<Answer<unknown>> {
  if (question === "nearby") return local.nearby(nearbyArgument(argument));
  // One of them, by the schema.
  return answerKeyed({ local, lag }, question as KeyedQuestion, keyedArgument(argument));
}

/** From rows that are only followed if that will do, with how far they are behind. */
export async function answerKeyed(
  { local, lag }: ForwardRoutesOptions,
  question: KeyedQuestion,
  argument: KeyedArgument,
): Promise<Answer<unknown>> {
  if (argument.standby !== true) return askKeyed(local, question, argument);
  const standbyLagRecords = await lag(question, argument.key);
  if (standbyLagRecords === Infinity)
    throw new ApiError("NOT_READY", `${storeOf[question]} is not followed here`, { reason: "REBALANCING", retryAfterMs: RETRY_AFTER_MS });
  const { value } = await asStandby(() => askKeyed(local, question, argument));
  return { value, freshness: { positions: [], staleMs: undefined, standbyLagRecords } };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

function late(): ApiError {
  return new ApiError("NOT_READY", "the asker's deadline is over", { reason: "DEADLINE", retryAfterMs: RETRY_AFTER_MS });
}

function parsed(argument: string): unknown {
  try {
    return JSON.parse(argument) as unknown;
  } catch (cause) {
    throw new ApiError("BAD_REQUEST", "the argument of a question that was passed on is no JSON", { cause });
  }
}
