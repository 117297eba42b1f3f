/**
 * Queries over all instances: what is here is answered here, the rest by whoever has it, one hop away; a standby answers, with its lag
 * said, while the owner does not. Nearby asks all owners at once, merges, and says who did not answer.
 */
import type { OwnerInstance, Placement, Placements } from "#streams";
import { PRESENCE_STORE, type DispatchTopics } from "#topologies";
import { ApiError } from "../errors.ts";
import type {
  Answer,
  AssignmentView,
  DriverView,
  JobView,
  MissingPart,
  NearbyQuery,
  NearbyView,
  Queries,
  QueueView,
  StatsQuery,
  StatsView,
} from "../queries/queries.ts";
import type { ForwardClient } from "./forward-client.ts";
import { answerKeyed, type ForwardRoutesOptions } from "./forward-routes.ts";
import { RETRY_AFTER_MS } from "./instance-ownership.ts";
import { partitionOf, storeOf, type KeyedArgument, type KeyedQuestion } from "./questions.ts";

export interface ForwardingQueriesOptions extends ForwardRoutesOptions {
  readonly placements: Placements;
  readonly client: ForwardClient;
  readonly topics: DispatchTopics;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Of one question with all its hops; default 3 s. */
  readonly deadlineMs?: number;
}

/** What one instance is asked about. */
interface NearbyPart {
  /** Undefined: this one. */
  readonly owner: OwnerInstance | undefined;
  readonly partitions: number[];
}

const DEADLINE_MS = 3_000;
/** What is left for a standby when the owner does not answer. */
const OWNER_SHARE = 0.6;

export class ForwardingQueries implements Queries {
  readonly #options: ForwardingQueriesOptions;

  constructor(options: ForwardingQueriesOptions) {
    this.#options = options;
  }

  driver(driverId: string): Promise<Answer<DriverView>> {
    return this.#keyed("driver", { key: driverId }) as Promise<Answer<DriverView>>; // what the question answers
  }

  job(jobId: string): Promise<Answer<JobView>> {
    return this.#keyed("job", { key: jobId }) as Promise<Answer<JobView>>; // what the question answers
  }

  assignment(jobId: string): Promise<Answer<AssignmentView>> {
    return this.#keyed("assignment", { key: jobId }) as Promise<Answer<AssignmentView>>; // what the question answers
  }

  queue(cell: string, limit: number): Promise<Answer<QueueView>> {
    return this.#keyed("queue", { key: cell, limit }) as Promise<Answer<QueueView>>; // what the question answers
  }

  /** Hours are counted from the topics, by every instance. */
  stats(query: StatsQuery): Promise<Answer<StatsView>> {
    return this.#options.local.stats(query);
  }

  async nearby(query: NearbyQuery): Promise<Answer<NearbyView>> {
    const { local, client, placements, topics } = this.#options;
    const until = this.#until();
    const missing: MissingPart[] = [];
    const parts = new Map<string, NearbyPart>();
    const { partitions: count } = topics.matchingInput;
    for (const partition of query.partitions ?? Array.from({ length: count }, (_, each) => each)) {
      const placement = placements.of(PRESENCE_STORE, partition);
      if (placement.kind !== "elsewhere" && placement.kind !== "here") {
        missing.push({ partitions: [partition], instance: undefined, reason: reasonOf(placement) });
        continue;
      }
      const owner = placement.kind === "here" ? undefined : placement.owner;
      const part = parts.get(owner?.instanceId ?? "") ?? { owner, partitions: [] };
      parts.set(owner?.instanceId ?? "", part);
      part.partitions.push(partition);
    }
    const answers = await Promise.all(
      [...parts.values()].map(async ({ owner, partitions }): Promise<Answer<NearbyView> | undefined> => {
        try {
          if (owner === undefined) return await local.nearby({ ...query, partitions });
          if (owner.endpoint === undefined) throw unreachable();
          const asked = await client.ask(owner.endpoint, "nearby", { ...query, partitions }, until - this.#options.clock());
          return asked as Answer<NearbyView>; // of an instance of this group
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          missing.push({ partitions, instance: owner?.instanceId, reason: error.reason ?? error.code });
          return undefined;
        }
      }),
    );
    const found = answers.filter((each) => each !== undefined);
    if (found.length === 0)
      throw new ApiError("NOT_READY", "nobody who has a part of this area answers", {
        reason: "REBALANCING",
        retryAfterMs: RETRY_AFTER_MS,
      });
    return merged(found, missing, query.limit);
  }

  async #keyed(question: KeyedQuestion, argument: KeyedArgument): Promise<Answer<unknown>> {
    const { placements } = this.#options;
    const until = this.#until();
    const [store, partition] = [storeOf[question], partitionOf(this.#options.topics, question, argument.key)];
    const placement = placements.of(store, partition);
    if (placement.kind === "here") return answerKeyed(this.#options, question, argument);
    let cause: ApiError | undefined;
    if (placement.kind === "elsewhere") {
      const left = until - this.#options.clock();
      const budget = placement.standbys.length > 0 || placements.follows(store, partition) ? left * OWNER_SHARE : left;
      try {
        return await this.#ask(placement.owner, question, argument, budget);
      } catch (error) {
        if (!(error instanceof ApiError) || !passes(error)) throw error;
        cause = error;
      }
    }
    const followed = await this.#fromStandby(question, argument, placement, until);
    if (followed !== undefined) return followed;
    throw new ApiError("NOT_READY", whyNot(placement), {
      reason: cause?.reason === "RESTORING" ? "RESTORING" : reasonOf(placement),
      retryAfterMs: cause?.retryAfterMs ?? RETRY_AFTER_MS,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  async #fromStandby(
    question: KeyedQuestion,
    argument: KeyedArgument,
    { standbys }: Exclude<Placement, { readonly kind: "here" }>,
    until: number,
  ): Promise<Answer<unknown> | undefined> {
    const { placements, clock } = this.#options;
    const followed = { ...argument, standby: true } as const;
    const here = placements.follows(storeOf[question], partitionOf(this.#options.topics, question, argument.key));
    const ways = [
      ...(here ? [() => answerKeyed(this.#options, question, followed)] : []),
      ...standbys.map((instance) => () => this.#ask(instance, question, followed, until - clock())),
    ];
    for (const way of ways) {
      try {
        return await way();
      } catch (error) {
        if (!(error instanceof ApiError) || (!passes(error) && error.code !== "FORWARD_REFUSED")) throw error;
      }
    }
    return undefined;
  }

  async #ask({ endpoint }: OwnerInstance, question: KeyedQuestion, argument: KeyedArgument, msLeft: number): Promise<Answer<unknown>> {
    if (endpoint === undefined) throw unreachable();
    return (await this.#options.client.ask(endpoint, question, argument, msLeft)) as Answer<unknown>; // of an instance of this group
  }

  #until(): number {
    return this.#options.clock() + (this.#options.deadlineMs ?? DEADLINE_MS);
  }
}

/** The next moment may know more; anything else is the answer. */
function passes({ code }: ApiError): boolean {
  return code === "INSTANCE_UNREACHABLE" || code === "NOT_READY";
}

function unreachable(): ApiError {
  return new ApiError("INSTANCE_UNREACHABLE", "the instance that has this does not say where it answers");
}

function reasonOf({ kind }: Placement): "RESTORING" | "REBALANCING" {
  return kind === "restoring" ? "RESTORING" : "REBALANCING";
}

function whyNot({ kind }: Placement): string {
  if (kind === "restoring") return "the state of this is being restored";
  return kind === "elsewhere" ? "the instance that has this does not answer; another one takes it over" : "the state of this changes hands";
}

function merged(answers: readonly Answer<NearbyView>[], missing: readonly MissingPart[], limit: number): Answer<NearbyView> {
  const drivers = answers
    .flatMap(({ value }) => value.drivers)
    .toSorted((a, b) => a.metres - b.metres || (a.driverId < b.driverId ? -1 : 1));
  const ages = answers.map(({ freshness }) => freshness.staleMs).filter((age) => age !== undefined);
  return {
    value: {
      drivers: drivers.slice(0, limit),
      complete: missing.length === 0 && answers.every(({ value }) => value.complete),
      ...(missing.length === 0 ? {} : { missing }),
    },
    freshness: {
      positions: answers.flatMap(({ freshness }) => freshness.positions),
      staleMs: ages.length === 0 ? undefined : Math.max(...ages),
    },
  };
}
