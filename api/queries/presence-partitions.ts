/** In which partitions the drivers of an area are known: those of the dispatch cells there, by the resolutions in force. */
import type { ZonePolicy } from "#schemas";
import { encodeKey, partitionFor } from "#streams";
import type { DispatchTopics } from "#topologies";
import type { CommittedReader } from "./committed-reader.ts";
import { dispatchCellsOf } from "./nearby-drivers.ts";

export interface PresencePartitionsOptions {
  readonly reader: CommittedReader;
  readonly topics: Pick<DispatchTopics, "matchingInput">;
  /** In force where none was published. */
  readonly policy: ZonePolicy;
}

/** A zone's policy as matching keeps it. */
interface ZoneRow {
  readonly policy: Pick<ZonePolicy, "zone" | "dispatchResolution">;
  readonly former: readonly { readonly resolution: number }[];
}

/** Policies change by hand: they are looked at so often. */
const POLICIES_MS = 1_000;
const ZONES_MAX = 10_000;
/** Areas remembered; when full, all are forgotten and computed again. */
const AREAS_MAX = 20_000;

export class PresencePartitions {
  readonly #options: PresencePartitionsOptions;
  readonly #known = new Map<string, readonly number[]>();
  #resolutions: readonly number[] = [];
  #readAt = -Infinity;

  constructor(options: PresencePartitionsOptions) {
    this.#options = options;
  }

  /** Each driver within the area is in at least one of them. */
  partitionsOf(area: string): readonly number[] {
    this.#lookAtPolicies();
    const known = this.#known.get(area);
    if (known !== undefined) return known;
    const { matchingInput } = this.#options.topics;
    const cells = dispatchCellsOf(area, this.#resolutions);
    const partitions = [...new Set(cells.map((cell) => partitionFor(matchingInput, cell, encodeKey(matchingInput.key, cell))))];
    if (this.#known.size >= AREAS_MAX) this.#known.clear();
    this.#known.set(area, partitions);
    return partitions;
  }

  #lookAtPolicies(): void {
    const now = performance.now();
    if (now - this.#readAt < POLICIES_MS) return;
    this.#readAt = now;
    const { reader, policy } = this.#options;
    const zones = reader.view.range("matching-policies", { limit: ZONES_MAX }).map(({ value }) => value as ZoneRow);
    const resolutions = new Set(
      zones.flatMap((zone) => [zone.policy.dispatchResolution, ...zone.former.map(({ resolution }) => resolution)]),
    );
    if (!zones.some((zone) => zone.policy.zone === policy.zone)) resolutions.add(policy.dispatchResolution);
    const sorted = [...resolutions].sort((a, b) => a - b);
    if (String(sorted) === String(this.#resolutions)) return;
    this.#resolutions = sorted;
    this.#known.clear();
  }
}
