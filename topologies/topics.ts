/** Every topic of the dispatch application: key, value, partitions, retention, and what a failure does. */
import type {
  AssignmentEvent,
  DriverCommand,
  DriverEvent,
  DriverLocation,
  DriverRepositioned,
  InputRefused,
  JobBilled,
  JobTracked,
  JobUpdate,
  MatchingInput,
  OrderEvent,
  RideEvent,
  TripChanged,
  ZonePolicy,
} from "#schemas";
import type { Serde } from "#state";
import { topic } from "#streams";
import type { Topic } from "#streams";

/** One serde a topic; keys are ids as UTF-8. */
export interface DispatchSerdes {
  readonly key: Serde<string>;
  readonly driverLocations: Serde<DriverLocation>;
  readonly driverEvents: Serde<DriverEvent>;
  readonly orders: Serde<OrderEvent>;
  readonly rides: Serde<RideEvent>;
  readonly assignments: Serde<AssignmentEvent>;
  readonly trips: Serde<TripChanged>;
  readonly bills: Serde<JobBilled>;
  readonly tracking: Serde<JobTracked>;
  readonly refusals: Serde<InputRefused>;
  readonly policies: Serde<ZonePolicy>;
  readonly driverCommands: Serde<DriverCommand>;
  readonly jobUpdates: Serde<JobUpdate>;
  readonly matchingInput: Serde<MatchingInput>;
  readonly driverMoves: Serde<DriverRepositioned>;
}

export type DispatchTopics = {
  readonly [Name in Exclude<keyof DispatchSerdes, "key">]: DispatchSerdes[Name] extends Serde<infer V> ? Topic<string, V> : never;
};

const HOUR_MS = 60 * 60 * 1_000;
/** What upstream asks for. */
export const REQUESTS_RETENTION_MS = 48 * HOUR_MS;
/** What downstream reads. */
export const EVENTS_RETENTION_MS = 7 * 24 * HOUR_MS;
/** Records of the protocol, counted from their time, once they are committed: for replay and `explain`. */
export const INTERNAL_KEPT_MS = 7 * 24 * HOUR_MS;
/**
 * Ended jobs, their bills' marks and drivers long off duty are forgotten so long after their end: a day more than any record
 * that could still come for them is kept, requests and protocol alike.
 */
export const FORGET_AFTER_MS = Math.max(REQUESTS_RETENTION_MS, EVENTS_RETENTION_MS, INTERNAL_KEPT_MS) + 24 * HOUR_MS;

/** Partitions of every topic but `policies`, whose one partition gives all copies the same order. Default 12. */
export function dispatchTopics(serdes: DispatchSerdes, options: { readonly partitions?: number } = {}): DispatchTopics {
  const partitions = options.partitions ?? 12;
  function of<V>(entity: string, value: Serde<V>, more: Partial<Topic<string, V>>): Topic<string, V> {
    return topic({ name: `dispatch.${entity}.v1`, key: serdes.key, value, partitions, ...more });
  }
  const request = { retentionMs: REQUESTS_RETENTION_MS, onFailure: "dead-letter" } as const;
  const event = { retentionMs: EVENTS_RETENTION_MS, onFailure: "dead-letter" } as const;
  // Losing one record of the protocol would lose a job for ever: no retention by the broker, and a failure stops the task.
  const internal = { purgeCommittedAfterMs: INTERNAL_KEPT_MS, onFailure: "stop" } as const;
  return {
    driverLocations: of("driver-locations", serdes.driverLocations, request),
    driverEvents: of("driver-events", serdes.driverEvents, request),
    orders: of("orders", serdes.orders, request),
    rides: of("rides", serdes.rides, request),
    assignments: of("assignments", serdes.assignments, event),
    // Read by billing: money stops rather than skip a trip.
    trips: of("trips", serdes.trips, { ...event, onFailure: "stop" }),
    bills: of("bills", serdes.bills, { ...event, onFailure: "stop" }),
    tracking: of("tracking", serdes.tracking, event),
    refusals: of("refusals", serdes.refusals, event),
    policies: of("policies", serdes.policies, { cleanup: "compact", partitions: 1, onFailure: "dead-letter" }),
    driverCommands: of("driver-commands", serdes.driverCommands, internal),
    jobUpdates: of("job-updates", serdes.jobUpdates, internal),
    matchingInput: of("matching-input", serdes.matchingInput, internal),
    driverMoves: of("driver-moves", serdes.driverMoves, event),
  };
}
