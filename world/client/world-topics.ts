/** The topics as a foreign client needs them: a name, a number of partitions, and how values become bytes. */
import type { AssignmentEvent, DriverEvent, DriverLocation, DriverRepositioned, OrderEvent, RideEvent, TripChanged } from "#schemas";

/** As the serdes of `#schemas` are. */
export interface WireSerde<V> {
  /** The end, or, when the target is too small, the length that it must have at least. */
  encode(value: V, target: Buffer, at: number): number;
  decode(bytes: Buffer, start: number, end: number): V;
}

export interface WorldTopic<V> {
  readonly name: string;
  readonly partitions: number;
  readonly value: WireSerde<V>;
}

export interface WorldTopics {
  readonly orders: WorldTopic<OrderEvent>;
  readonly rides: WorldTopic<RideEvent>;
  readonly driverEvents: WorldTopic<DriverEvent>;
  readonly driverLocations: WorldTopic<DriverLocation>;
  readonly assignments: WorldTopic<AssignmentEvent>;
  readonly trips: WorldTopic<TripChanged>;
  readonly driverMoves: WorldTopic<DriverRepositioned>;
}
