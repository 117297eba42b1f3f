/** What the benches of a live system and their workers tell each other. */
import type { DiskShare } from "#disk";
import type { RegisteredSchema } from "#schemas";
import type { WorkerLog } from "#streams";
import type { LatencySummary } from "./percentiles.ts";

/** A span of the run with its own demand. */
export interface Phase {
  readonly name: string;
  /** At most, where one of the others may end it. */
  readonly seconds: number;
  readonly ordersPerSecond: number;
  /** It ends as soon as all orders so far have their drivers. */
  readonly untilAssigned?: boolean;
  /** It ends as soon as the first of these numbers of 32 bits is not 0. */
  readonly over?: SharedArrayBuffer;
}

export interface TrafficOrder {
  readonly disk: DiskShare;
  readonly log: WorkerLog;
  readonly schemas: readonly RegisteredSchema[];
  readonly partitions: number;
  readonly seed: number;
  readonly drivers: number;
  /** Of the first driver's shift, which is in the log already. */
  readonly startAt: number;
  readonly phases: readonly Phase[];
}

export interface PhaseReport {
  readonly name: string;
  readonly placed: number;
  /** Order placed → assignment seen by a consumer. */
  readonly assigned: LatencySummary;
  readonly locations: number;
}

export type TrafficMessage =
  | { readonly kind: "phase"; readonly name: string }
  | { readonly kind: "done"; readonly phases: readonly PhaseReport[] };

export interface QueryOrder {
  readonly url: string;
  /** Asked at the same rate before it counts: a server that lives has answered before. */
  readonly warmSeconds: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly connections: number;
  readonly paths: readonly string[];
}

export type QueryMessage = { readonly kind: "warm" } | ({ readonly kind: "done" } & QueryReport);

export interface QueryReport {
  readonly latency: LatencySummary;
  /** Of the questions before. */
  readonly warming: LatencySummary;
  readonly non2xx: number;
  readonly errors: number;
}

export interface FollowOrder {
  readonly url: string;
  /** One client for each; a job may have several. */
  readonly jobs: readonly string[];
  readonly seconds: number;
}

/** `open`, and after `opened` `count`. */
export type FollowCommand = { readonly kind: "open"; readonly order: FollowOrder } | { readonly kind: "count" };

export type FollowMessage = { readonly kind: "opened" } | ({ readonly kind: "done" } & FollowReport);

export interface FollowReport {
  readonly opened: number;
  readonly broken: number;
  readonly trips: number;
  /** Time of the location's record → event at the client, ms, of each position while it counted. */
  readonly ages: readonly number[];
}
