import type { AssignmentEvent } from "./assignments.ts";
import { type ValueSerde, avroSerde } from "./avro/avro-serde.ts";
import type { AvroSchema, AvroValue } from "./avro/schema.ts";
import { schemaText } from "./avro/schema-text.ts";
import type { JobBilled } from "./bills.ts";
import type { DriverCommand, DriverRepositioned } from "./driver-commands.ts";
import type { DriverEvent } from "./driver-events.ts";
import type { DriverLocation } from "./driver-locations.ts";
import type { JobUpdate } from "./job-updates.ts";
import { type IdSerde, idSerde } from "./key-serde.ts";
import type { MatchingInput } from "./matching-input.ts";
import type { OrderEvent } from "./orders.ts";
import type { ZonePolicy } from "./policies.ts";
import type { InputRefused } from "./refusals.ts";
import type { SchemaRegistry } from "./registry/registry.ts";
import type { RideEvent } from "./rides.ts";
import { type Subject, topicSchemas } from "./subjects.ts";
import type { JobTracked } from "./tracking.ts";
import type { TripChanged } from "./trips.ts";

/** One serde for the values of each topic, and one for all their keys. */
export interface Serdes {
  readonly key: IdSerde;
  readonly driverLocations: ValueSerde<DriverLocation>;
  readonly driverEvents: ValueSerde<DriverEvent>;
  readonly orders: ValueSerde<OrderEvent>;
  readonly rides: ValueSerde<RideEvent>;
  readonly assignments: ValueSerde<AssignmentEvent>;
  readonly trips: ValueSerde<TripChanged>;
  readonly bills: ValueSerde<JobBilled>;
  readonly tracking: ValueSerde<JobTracked>;
  readonly refusals: ValueSerde<InputRefused>;
  readonly policies: ValueSerde<ZonePolicy>;
  readonly driverCommands: ValueSerde<DriverCommand>;
  readonly jobUpdates: ValueSerde<JobUpdate>;
  readonly matchingInput: ValueSerde<MatchingInput>;
  readonly driverMoves: ValueSerde<DriverRepositioned>;
}

/** Needs a registry that is loaded: `memoryRegistry()`, or what `logRegistry` resolved to. Throws as `register` does. */
export function createSerdes(registry: SchemaRegistry): Serdes {
  const of = <const S extends AvroSchema>(topic: Subject & { readonly schema: S }): ValueSerde<AvroValue<S>> => {
    const { subject, schema, compatibility } = topic;
    return avroSerde({ subject, schema, registry, schemaId: registry.register(subject, schemaText(schema), compatibility) });
  };
  return {
    key: idSerde,
    driverLocations: of(topicSchemas.driverLocations),
    driverEvents: of(topicSchemas.driverEvents),
    orders: of(topicSchemas.orders),
    rides: of(topicSchemas.rides),
    assignments: of(topicSchemas.assignments),
    trips: of(topicSchemas.trips),
    bills: of(topicSchemas.bills),
    tracking: of(topicSchemas.tracking),
    refusals: of(topicSchemas.refusals),
    policies: of(topicSchemas.policies),
    driverCommands: of(topicSchemas.driverCommands),
    jobUpdates: of(topicSchemas.jobUpdates),
    matchingInput: of(topicSchemas.matchingInput),
    driverMoves: of(topicSchemas.driverMoves),
  };
}

/** Keeps a schema's literal types: `defineSchema({ type: "record", … })`. */
export function defineSchema<const S extends AvroSchema>(schema: S): S {
  return schema;
}

/** A serde for the values of a store: framed like topics, so that a later version of the program reads what this one wrote. */
export function storeSerde<const S extends AvroSchema>(options: {
  /** Name of the store: the schema is registered as `<name>-value`. */
  readonly name: string;
  readonly schema: S;
  readonly registry: SchemaRegistry;
}): ValueSerde<AvroValue<S>> {
  const { name, schema, registry } = options;
  return avroSerde({ subject: `${name}-value`, schema, registry });
}
