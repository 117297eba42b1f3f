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
