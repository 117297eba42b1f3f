import type { Point } from "./common.ts";
/** dispatch.tracking.v1, key jobId: shown only while the trip names the same driver and attempt. */
export interface JobTracked {
  readonly type: "JobTracked";
  readonly jobId: string;
  readonly driverId: string;
  readonly attempt: number;
  readonly position: Point;
  readonly pickupEta: number | null;
  readonly dropOffEta: number | null;
  readonly at: number;
}
