/** Answers from the committed state of this process: rows through a view, stories from the topics, hours from the fold of trips. */
import { cellGeometry } from "#geo";
import type { Log } from "#log";
import type { Point, ZonePolicy } from "#schemas";
import {
  expectedTimes,
  PRESENCE_STORE,
  type CellJob,
  type DispatchTopics,
  type DriverPlan,
  type DriverWhereabouts,
  type Geography,
  type Job,
} from "#topologies";
import { ApiError } from "../errors.ts";
import { HOUR_MS, STATS_HOURS_KEPT, STATS_RESOLUTION, type StatsFold } from "../live/stats-fold.ts";
import type { CommittedReader } from "./committed-reader.ts";
import { storyOf } from "./job-story.ts";
import type { DriverIndex } from "./driver-index.ts";
import { storedDrivers, type DriverSource } from "./driver-source.ts";
import { areasOf, nearbyDrivers } from "./nearby-drivers.ts";
import { PresencePartitions } from "./presence-partitions.ts";
import type {
  Answer,
  AssignmentView,
  DriverView,
  JobView,
  NearbyQuery,
  NearbyView,
  Queries,
  QueuedJob,
  QueueView,
  SourcePosition,
  StatsQuery,
  StatsView,
} from "./queries.ts";

export interface LocalQueriesOptions {
  readonly reader: CommittedReader;
  readonly log: Log;
  readonly topics: DispatchTopics;
  readonly geography: Geography;
  /** In force where none was published. */
  readonly policy: ZonePolicy;
  /** Answers what it has in place of the stores. */
  readonly index?: DriverIndex;
  readonly stats: StatsFold;
  /** Undefined while the stats have not caught up; else the trips that they have counted up to. */
  readonly statsPositions: () => readonly SourcePosition[] | undefined;
}

/** Jobs of a queue for which the nearest driver is looked up. */
const SLACKS_MAX = 50;
const QUEUE_ROWS_MAX = 100_000;
const NEAREST_METRES = 5_000;
const RETRY_AFTER_MS = 1_000;

export class LocalQueries implements Queries {
  readonly #options: LocalQueriesOptions;
  readonly #reader: CommittedReader;
  readonly #presence: PresencePartitions;
  readonly #stored: DriverSource;

  constructor(options: LocalQueriesOptions) {
    this.#options = options;
    this.#reader = options.reader;
    this.#presence = new PresencePartitions(options);
    this.#stored = storedDrivers(options.reader.view);
  }

  driver(driverId: string): Promise<Answer<DriverView>> {
    const { topics } = this.#options;
    const place = this.#reader.placeOf("driver-plans", topics.driverEvents, driverId);
    return this.#reader.read([place], () => {
      const view = this.driverNow(driverId);
      if (view === undefined) throw new ApiError("KEY_NOT_FOUND", "nothing is known of this driver");
      return view;
    });
  }

  /** Committed rows of this moment; undefined for one of whom nothing is known. */
  driverNow(driverId: string): DriverView | undefined {
    const plan = this.#reader.row<DriverPlan>("driver-plans", driverId);
    if (plan === undefined) return undefined;
    const whereabouts = this.#reader.row<DriverWhereabouts>("driver-whereabouts", driverId);
    const known = whereabouts !== undefined && whereabouts.fineCell !== "";
    const position = known ? { latitude: whereabouts.latitude, longitude: whereabouts.longitude } : null;
    const times = position === null ? undefined : this.#expected(plan, position);
    const { duty, version, vehicle, tags, capacity, shiftEndsAt, cells, holds } = plan;
    return {
      driverId,
      duty,
      version,
      position,
      recordedAt: known ? whereabouts.recordedAt : null,
      seenAt: known ? whereabouts.seenAt : null,
      vehicle,
      tags,
      capacity,
      shiftEndsAt,
      cells,
      jobs: holds.map(({ jobId, attempt, status }) => ({
        jobId,
        attempt,
        status,
        ...(times?.get(jobId) ?? { pickupEta: null, dropOffEta: null }),
      })),
    };
  }

  nearby(query: NearbyQuery): Promise<Answer<NearbyView>> {
    const asked = (partition: number): boolean => query.partitions?.includes(partition) ?? true;
    const needed = new Set(
      areasOf(query)
        .flatMap((area) => this.#presence.partitionsOf(area))
        .filter(asked),
    );
    const places = [...needed].sort((a, b) => a - b).map((partition) => ({ store: PRESENCE_STORE, partition }));
    const { index } = this.#options;
    // Its rows are as new as its own positions, which may lie behind those in the database.
    const known = index === undefined ? undefined : places.map(({ partition }) => index.positions(partition));
    const whole = known?.every((positions) => positions !== undefined) === true;
    const source = whole && index !== undefined ? index : this.#stored;
    return this.#reader.read(places, () => this.#nearbyNow(query, source, asked), whole ? known : undefined);
  }

  async job(jobId: string): Promise<Answer<JobView>> {
    const { log, topics } = this.#options;
    const { value: job, freshness } = await this.#job(jobId);
    const story = await storyOf(log, topics, job);
    const { content, cell, deadlineAt, retryAt } = job;
    return { value: { ...assignmentOf(job), content, cell, deadlineAt, retryAt, story }, freshness };
  }

  async assignment(jobId: string): Promise<Answer<AssignmentView>> {
    const { value, freshness } = await this.#job(jobId);
    return { value: assignmentOf(value), freshness };
  }

  queue(cell: string, limit: number): Promise<Answer<QueueView>> {
    const { matchingInput } = this.#options.topics;
    const place = this.#reader.placeOf("matching-queue", matchingInput, cell);
    return this.#reader.read([place], () => {
      const rows = this.#reader.view.range("matching-queue", { partition: place.partition, limit: QUEUE_ROWS_MAX });
      // The queue's entries: id, priority, value.
      const jobs = rows.map(({ value }) => (value as { readonly value: CellJob }).value).filter((job) => job.cell === cell);
      const queued = jobs.map((job, index) => this.#queued(job, index < SLACKS_MAX)).sort(byUrgency);
      const proposed = jobs.filter(({ status }) => status === "proposed").length;
      return { cell, jobs: queued.slice(0, limit), waiting: jobs.length - proposed, proposed };
    });
  }

  async stats({ from, to, cell }: StatsQuery): Promise<Answer<StatsView>> {
    const { stats, statsPositions } = this.#options;
    const positions = statsPositions();
    if (positions === undefined)
      throw new ApiError("NOT_READY", "the trips of the last two days are being counted", {
        reason: "RESTORING",
        retryAfterMs: RETRY_AFTER_MS,
      });
    if (cell !== undefined && cellGeometry.resolutionOf(cell) > STATS_RESOLUTION)
      throw new ApiError(
        "BAD_REQUEST",
        `hours are counted by cells of resolution ${STATS_RESOLUTION}: ask for one of them or a larger one`,
      );
    const now = this.#reader.now();
    const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
    const holds = (each: string): boolean =>
      cell === undefined || (each !== "" && cellGeometry.parentOf(each, cellGeometry.resolutionOf(cell)) === cell);
    const hours = stats.between(from ?? hour - HOUR_MS, to ?? Infinity, holds);
    return { value: { since: hour - (STATS_HOURS_KEPT - 1) * HOUR_MS, hours }, freshness: { positions, staleMs: 0 } };
  }

  /** Committed row of this moment. */
  jobNow(jobId: string): Job | undefined {
    return this.#reader.row<Job>("jobs", jobId);
  }

  #job(jobId: string): Promise<Answer<Job>> {
    const place = this.#reader.placeOf("jobs", this.#options.topics.orders, jobId);
    return this.#reader.read([place], () => {
      const job = this.jobNow(jobId);
      if (job === undefined) throw new ApiError("KEY_NOT_FOUND", "nothing is known of this job");
      return job;
    });
  }

  #nearbyNow(query: NearbyQuery, source: DriverSource, asked: (partition: number) => boolean = () => true): NearbyView {
    return nearbyDrivers(source, (area) => this.#presence.partitionsOf(area).filter(asked), query);
  }

  #expected(plan: DriverPlan, position: Point): ReturnType<typeof expectedTimes> {
    const { geography, policy } = this.#options;
    const travel = geography.travelModel(this.#defaultPolicy() ?? policy);
    return expectedTimes(plan, position, {
      at: this.#reader.now(),
      serviceMs: travel.serviceMs,
      travelMs: (from, to, vehicle) => travel.travelMs(from, to, vehicle),
    });
  }

  /** As last published; drivers know it as the others do. */
  #defaultPolicy(): ZonePolicy | undefined {
    return this.#reader.row<{ readonly policy: ZonePolicy }>("driver-policies", "default")?.policy;
  }

  #queued({ jobId, attempt, status, askedDriver, content, notBefore, skips }: CellJob, withSlack: boolean): QueuedJob {
    const slackMs = withSlack ? this.#slackOf(content.pickup, content.readyAt) : null;
    return { jobId, attempt, status, askedDriver, readyAt: content.readyAt, notBefore, slackMs, refusals: skips.length };
  }

  #slackOf(pickup: Point, readyAt: number): number | null {
    const nearest = this.#nearbyNow({ ...pickup, radiusMetres: NEAREST_METRES, limit: 1 }, this.#stored).drivers[0];
    if (nearest === undefined) return null;
    const { geography, policy } = this.#options;
    const travelMs = geography.travelModel(this.#defaultPolicy() ?? policy).travelMs(nearest.position, pickup, nearest.vehicle);
    return Math.round(readyAt - this.#reader.now() - travelMs);
  }
}

function assignmentOf({ jobId, state, attempt, jobVersion, driver }: Job): AssignmentView {
  return {
    jobId,
    state,
    attempt,
    jobVersion,
    driverId: driver?.driverId ?? null,
    driverVersion: driver?.driverVersion ?? null,
    proposalId: driver?.proposalId ?? null,
    policy: driver?.policy ?? null,
    slackMs: driver?.slackMs ?? null,
    pickupEta: driver?.pickupEta ?? null,
  };
}

function byUrgency(a: QueuedJob, b: QueuedJob): number {
  return (a.slackMs ?? -Infinity) - (b.slackMs ?? -Infinity) || a.readyAt - b.readyAt || (a.jobId < b.jobId ? -1 : 1);
}
