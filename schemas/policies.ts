/** dispatch.policies.v1, key = dispatch cell or "default". */
export interface ZonePolicy {
  readonly type: "ZonePolicy";
  readonly zone: string;
  /** "nearest", "batch-matching", … */
  readonly policy: string;
  readonly version: number;
  /** Parameters by name; each policy states names, units, ranges. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly tickMs: number;
  /** 0: no offers, a proposal is an assignment. */
  readonly offerSeconds: number;
  readonly travelModel: "great-circle" | "plane";
  /** H3 resolution of dispatch cells in this zone, 0 to 8. */
  readonly dispatchResolution: number;
  /** Metres: how far beyond its own dispatch cell a driver is present. */
  readonly haloMetres: number;
  readonly attemptsMax: number;
  /** From placement to the end of the job, whatever happens. */
  readonly deadlineMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** A driver without an accepted location for this long is silent; 0: never. */
  readonly locationTtlMs: number;
  /** At most one accepted update per driver in this time. */
  readonly throttleMs: number;
  /** Faster than this between two positions is impossible. */
  readonly speedMetresPerSecondMax: number;
}
