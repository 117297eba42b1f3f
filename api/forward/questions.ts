/** The questions that instances pass on to one another, and their arguments as they come over the wire: nothing in them is believed. */
import { encodeKey, partitionFor, type Topic } from "#streams";
import type { DispatchTopics } from "#topologies";
import { ApiError } from "../errors.ts";
import type { Answer, NearbyQuery, Queries } from "../queries/queries.ts";
import { NEARBY_DRIVERS_MAX, NEARBY_METRES_MAX, QUEUE_JOBS_MAX } from "../queries/queries.ts";

export interface KeyedArgument {
  readonly key: string;
  /** Of a queue. */
  readonly limit?: number;
  /** Rows that are only followed will do. */
  readonly standby?: true;
}

export type KeyedQuestion = "driver" | "job" | "assignment" | "queue";

/** A store whose row answers, for its age. */
export const storeOf: Readonly<Record<KeyedQuestion, string>> = {
  driver: "driver-plans",
  job: "jobs",
  assignment: "jobs",
  queue: "matching-queue",
};

/** Which partition a question is about. */
export function partitionOf({ driverEvents, orders, matchingInput }: DispatchTopics, question: KeyedQuestion, key: string): number {
  const partition = <V>(topic: Topic<string, V>): number => partitionFor(topic, key, encodeKey(topic.key, key));
  return question === "driver" ? partition(driverEvents) : question === "queue" ? partition(matchingInput) : partition(orders);
}

const KEY_CHARACTERS_MAX = 256;
const PARTITIONS_MAX = 100_000;

export function askKeyed(
  queries: Queries,
  question: KeyedQuestion,
  { key, limit = QUEUE_JOBS_MAX }: KeyedArgument,
): Promise<Answer<unknown>> {
  switch (question) {
    case "driver":
      return queries.driver(key);
    case "job":
      return queries.job(key);
    case "assignment":
      return queries.assignment(key);
    case "queue":
      return queries.queue(key, limit);
    default:
      return question satisfies never;
  }
}

export function keyedArgument(value: unknown): KeyedArgument {
  const { key, limit, standby } = record(value);
  if (typeof key !== "string" || key === "" || key.length > KEY_CHARACTERS_MAX) throw unusable("key");
  return {
    key,
    ...(limit === undefined ? {} : { limit: whole(limit, "limit", 1, QUEUE_JOBS_MAX) }),
    ...(standby === true ? { standby } : {}),
  };
}

export function nearbyArgument(value: unknown): NearbyQuery & { readonly partitions: readonly number[] } {
  const { latitude, longitude, radiusMetres, limit, partitions } = record(value);
  if (!Array.isArray(partitions) || partitions.length > PARTITIONS_MAX) throw unusable("partitions");
  return {
    latitude: degrees(latitude, "latitude", 90),
    longitude: degrees(longitude, "longitude", 180),
    radiusMetres: whole(radiusMetres, "radiusMetres", 1, NEARBY_METRES_MAX),
    limit: whole(limit, "limit", 1, NEARBY_DRIVERS_MAX),
    partitions: partitions.map((partition: unknown) => whole(partition, "partitions", 0, PARTITIONS_MAX)),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw unusable("argument");
  return value as Readonly<Record<string, unknown>>; // any object has unknown properties
}

function degrees(value: unknown, name: string, most: number): number {
  if (typeof value !== "number" || !(Math.abs(value) <= most)) throw unusable(name);
  return value;
}

function whole(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) throw unusable(name);
  return value;
}

function unusable(name: string): ApiError {
  return new ApiError("BAD_REQUEST", `${name} of a question that was passed on cannot be used`);
}
