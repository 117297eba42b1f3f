/** Committed rows with their age: positions first, then rows, then once more whose they are. */
import type { Log } from "#log";
import { encodeKey, partitionFor, type CommittedRow, type CommittedView, type InputPosition, type Topic } from "#streams";
import { ApiError } from "../errors.ts";
import type { Absence, Answer, Freshness, Ownership, SourcePosition } from "./queries.ts";

export interface CommittedReaderOptions {
  readonly view: CommittedView;
  readonly log: Pick<Log, "offsets">;
  /** Of the application's inputs, for their age. */
  readonly now: () => number;
  /** Default: everything is here. */
  readonly ownership?: Ownership;
}

/** Rows that an answer stands on. */
export interface Place {
  readonly store: string;
  readonly partition: number;
}

const EVERYTHING_HERE: Ownership = { epoch: () => 0, absence: () => undefined };
const RETRY_AFTER_MS = 500;
/** As the engine keeps it beside a committed offset. */
const partitionTime = /^time=(\d+)$/;

export class CommittedReader {
  readonly view: CommittedView;
  readonly #options: CommittedReaderOptions;
  readonly #ownership: Ownership;

  constructor(options: CommittedReaderOptions) {
    this.view = options.view;
    this.#options = options;
    this.#ownership = options.ownership ?? EVERYTHING_HERE;
  }

  now(): number {
    return this.#options.now();
  }

  /**
   * `known`: of each place how far its inputs were processed, where `look` reads from memory; default: as committed. `look` is
   * synchronous, so that nothing moves while it reads. Throws `NOT_READY` while one of the places is not whole here.
   */
  async read<T>(places: readonly Place[], look: () => T, known?: readonly (readonly InputPosition[] | undefined)[]): Promise<Answer<T>> {
    const epoch = this.#ownership.epoch();
    for (const { store, partition } of places) {
      const absence = this.#ownership.absence(store, partition);
      if (absence !== undefined) throw absent(absence);
    }
    const freshness = await this.#freshness(places, known);
    try {
      return { value: look(), freshness };
    } finally {
      // Stronger than the answer, and than "there is none".
      this.#checkEpoch(epoch);
    }
  }

  #checkEpoch(epoch: number): void {
    if (this.#ownership.epoch() !== epoch)
      throw absent({ reason: "MOVED", detail: "partitions changed hands while this was read", retryAfterMs: RETRY_AFTER_MS });
  }

  /** Where a key of this topic has its rows. */
  placeOf<V>(store: string, topic: Topic<string, V>, key: string): Place {
    return { store, partition: partitionFor(topic, key, encodeKey(topic.key, key)) };
  }

  row<V>(store: string, key: string): V | undefined {
    const found: CommittedRow | undefined = this.view.get(store, key);
    // The store's serde makes values of this type alone.
    return found?.value as V | undefined;
  }

  async #freshness(places: readonly Place[], known: readonly (readonly InputPosition[] | undefined)[] = []): Promise<Freshness> {
    const { view, log } = this.#options;
    const positions: SourcePosition[] = [];
    let staleMs: number | undefined;
    for (const [at, { store, partition }] of places.entries()) {
      for (const { topic, partition: input, committed } of known[at] ?? (await view.position(store, partition))) {
        const place = { topic, partition: input };
        const start = committed?.offset ?? (await log.offsets.bound(place, "start"));
        positions.push({ ...place, offset: start });
        const behind = start < (await log.offsets.bound(place, "stable"));
        const time = Number(partitionTime.exec(committed?.metadata ?? "")?.[1] ?? Number.NaN);
        if (committed === undefined && behind) continue;
        const age = behind && !Number.isNaN(time) ? Math.max(0, this.now() - time) : 0;
        staleMs = Math.max(staleMs ?? 0, age);
      }
    }
    return { positions, staleMs };
  }
}

function absent({ reason, detail, retryAfterMs }: Absence): ApiError {
  return new ApiError("NOT_READY", detail, { reason, retryAfterMs });
}
