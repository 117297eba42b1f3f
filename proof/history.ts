/** What the checks read: decoded records of whole topics, from anywhere. The checks know no log and no topology. */
import type {
  AssignmentEvent,
  DriverEvent,
  DriverLocation,
  InputRefused,
  JobBilled,
  JobUpdate,
  MatchingInput,
  OrderEvent,
  RideEvent,
  TripChanged,
} from "#schemas";

/** A committed record with its place in the topic. */
export interface ProofRecord<Value> {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly value: Value;
}

/** Each partition in the order of its offsets; partitions may be interleaved in any way. Read once. */
export type Source<Item> = Iterable<Item> | AsyncIterable<Item>;

/**
 * Whole topics, each from its first record, read up to a moment at which nothing more is on the way (else say so by
 * `quiescent: false`). Bills and trips are read no earlier than the topics they follow from.
 */
export interface History {
  readonly orders?: Source<ProofRecord<OrderEvent>>;
  readonly rides?: Source<ProofRecord<RideEvent>>;
  readonly driverEvents?: Source<ProofRecord<DriverEvent>>;
  readonly refusals: Source<ProofRecord<InputRefused>>;
  readonly jobUpdates: Source<ProofRecord<JobUpdate>>;
  readonly assignments: Source<ProofRecord<AssignmentEvent>>;
  readonly trips: Source<ProofRecord<TripChanged>>;
  readonly bills: Source<ProofRecord<JobBilled>>;
  /** Without it the effect of a shift's start and end is not judged, and capacity is the largest a driver ever announced. */
  readonly matchingInput?: Source<ProofRecord<MatchingInput>>;
  /** Judged only where the rules are told; see `locations.ts`. */
  readonly driverLocations?: Source<ProofRecord<DriverLocation>>;
}

export const topicNames = {
  orders: "dispatch.orders.v1",
  rides: "dispatch.rides.v1",
  driverEvents: "dispatch.driver-events.v1",
  refusals: "dispatch.refusals.v1",
  jobUpdates: "dispatch.job-updates.v1",
  assignments: "dispatch.assignments.v1",
  trips: "dispatch.trips.v1",
  bills: "dispatch.bills.v1",
  matchingInput: "dispatch.matching-input.v1",
  driverLocations: "dispatch.driver-locations.v1",
} as const satisfies Record<keyof History, string>;

export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Of one partition and offset; the topic is known where it is kept. */
export function placeOf(record: { readonly partition: number; readonly offset: number }): string {
  return `${record.partition}@${record.offset}`;
}

/** Visits every record; throws RangeError if a partition's offsets do not rise, since then nothing could be said of order. */
export async function each<Value>(
  topic: string,
  source: Source<ProofRecord<Value>> | undefined,
  visit: (record: ProofRecord<Value>) => void,
): Promise<void> {
  if (source === undefined) return;
  const last = new Map<number, number>();
  const take = (record: ProofRecord<Value>): void => {
    const before = last.get(record.partition);
    if (before !== undefined && record.offset <= before) {
      throw new RangeError(
        `${topic}-${record.partition}: offset ${record.offset} read after ${before}: read each partition once, in order`,
      );
    }
    last.set(record.partition, record.offset);
    visit(record);
  };
  if (Symbol.iterator in source) for (const record of source) take(record);
  else for await (const record of source) take(record);
}
