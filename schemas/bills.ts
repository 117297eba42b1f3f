import { timeSchema } from "./avro/primitives.ts";

export interface FareLine {
  readonly kind: "goods" | "base" | "distance" | "time" | "surge" | "platform";
  readonly amountMinor: number;
}
/** dispatch.bills.v1, key jobId. customerMinor = driverMinor + platformMinor + merchantMinor, to the minor unit. */
export interface JobBilled {
  readonly type: "JobBilled";
  readonly jobId: string;
  readonly driverId: string;
  readonly attempt: number;
  readonly currency: string;
  readonly customerMinor: number;
  readonly driverMinor: number;
  readonly platformMinor: number;
  /** The goods; 0 for rides. */
  readonly merchantMinor: number;
  readonly lines: readonly FareLine[];
  /** In thousandths; 1000 = none. */
  readonly surgeMilli: number;
  readonly at: number;
}

const fareLine = {
  type: "record",
  name: "FareLine",
  fields: [
    { name: "kind", type: { type: "enum", name: "FareLineKind", symbols: ["goods", "base", "distance", "time", "surge", "platform"] } },
    { name: "amountMinor", type: "long" },
  ],
} as const;
export const jobBilledSchema = {
  type: "record",
  name: "JobBilled",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "jobId", type: "string" },
    { name: "driverId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "currency", type: "string" },
    { name: "customerMinor", type: "long" },
    { name: "driverMinor", type: "long" },
    { name: "platformMinor", type: "long" },
    { name: "merchantMinor", type: "long" },
    { name: "lines", type: { type: "array", items: fareLine } },
    { name: "surgeMilli", type: "int" },
    { name: "at", type: timeSchema },
  ],
} as const;
