/** Writing events into the log from outside. Contract only. */
import type { DriverEvent, DriverLocation, OrderEvent, RideEvent } from "#schemas";

/** Topics that upstream writes, by their routes' last words. */
export type IngestKind = "driver-locations" | "driver-events" | "orders" | "rides";

export type IngestEvent = DriverLocation | DriverEvent | OrderEvent | RideEvent;

/** Where an event rests. */
export interface AcceptedRecord {
  readonly eventId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface IngestRequest {
  readonly kind: IngestKind;
  /** One event, or a list of 1 to 100. */
  readonly body: unknown;
  /** Becomes the `eventId` of one event; `<key>.<index>` of each of a list. */
  readonly idempotencyKey?: string;
  /** False for a driver or job that the sender may not write about. */
  readonly mayConcern: (entity: "drivers" | "jobs", id: string) => boolean;
}

export const BATCH_EVENTS_MAX = 100;

export interface Ingest extends AsyncDisposable {
  /**
   * All of a body or nothing of it. Resolves when the events are in the log as durably as the log was opened for. Rejects with
   * ApiError: what is wrong with the body, `FORBIDDEN`, `OVERLOADED`, or `LOG_UNAVAILABLE`, after which nobody knows whether they
   * were written: send them again with the same ids.
   */
  accept(request: IngestRequest): Promise<readonly AcceptedRecord[]>;
}
