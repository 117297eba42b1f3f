import { counterSchema, idSchema } from "./avro/primitives.ts";

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
  /** Metres, 0 to 20,000: how far beyond its own dispatch cell a driver is present. */
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

const notNegativeLong = { type: "long", minimum: 0 } as const;
export const zonePolicySchema = {
  type: "record",
  name: "ZonePolicy",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "zone", type: idSchema },
    { name: "policy", type: idSchema },
    { name: "version", type: counterSchema },
    { name: "parameters", type: { type: "map", values: "double" } },
    { name: "tickMs", type: { type: "long", minimum: 1 } },
    { name: "offerSeconds", type: { type: "double", minimum: 0 } },
    { name: "travelModel", type: { type: "string", oneOf: ["great-circle", "plane"] } },
    { name: "dispatchResolution", type: { type: "int", minimum: 0, maximum: 8 } },
    { name: "haloMetres", type: { type: "double", minimum: 0, maximum: 20_000 } },
    { name: "attemptsMax", type: { type: "int", minimum: 1 } },
    { name: "deadlineMs", type: notNegativeLong },
    { name: "backoffBaseMs", type: notNegativeLong },
    { name: "backoffMaxMs", type: notNegativeLong },
    { name: "locationTtlMs", type: notNegativeLong },
    { name: "throttleMs", type: notNegativeLong },
    { name: "speedMetresPerSecondMax", type: { type: "double", minimum: 0 } },
  ],
} as const;

/** The operator's policy for a zone as each of the three internal topics carries it. */
export const policyChangedSchema = {
  type: "record",
  name: "PolicyChanged",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [{ name: "policy", type: zonePolicySchema }],
} as const;
