/**
 * Live streams: committed trips and tracking records read once, each event made into bytes once and written to all who follow its
 * job or the cell where it happens. A position is shown only while the trip names the same driver and attempt.
 */
import { cellOf, resolutionOf } from "#geo";
import type { Log, RecordBatchCursor } from "#log";
import type { JobTracked, TripChanged, TripState } from "#schemas";
import type { DispatchTopics } from "#topologies";
import { ApiError } from "../errors.ts";
import { EventRing, type LiveEvent } from "./event-ring.ts";
import { followersBound, type FollowersBound } from "./followers-max.ts";
import { eventFrame, SseFollower, type EventOutput } from "./sse-follower.ts";
import { TopicFollower } from "./topic-follower.ts";

/** What a job's trip says now. */
export interface CurrentTrip {
  readonly state: TripState;
  readonly attempt: number;
  readonly jobVersion: number;
  readonly driverId: string | null;
}

/** The state from which a stream begins; synchronous, so that no event falls between it and the stream. */
export interface LiveSnapshots {
  trip(jobId: string): CurrentTrip | undefined;
  /** Undefined for a job of which nothing is known. */
  ofJob(jobId: string): unknown;
  ofCell(cell: string): unknown;
}

export interface TrackingHubOptions {
  readonly log: Log;
  readonly topics: Pick<DispatchTopics, "trips" | "tracking">;
  readonly snapshots: LiveSnapshots;
  /** Distinguishes this process's events from those of another, or of an earlier start. */
  readonly epoch: string;
  readonly onFailure: (error: unknown) => void;
  /** Hears of each trip that is read, before followers do. */
  readonly onTrip?: (trip: TripChanged) => void;
  /** Events kept for those who come back; default 50,000. */
  readonly eventsKeptMax?: number;
  /** Default 10,000, or what the limit of open files leaves. */
  readonly followersMax?: number;
  /** Default 15,000. */
  readonly heartbeatMs?: number;
}

export interface FollowRequest {
  readonly output: EventOutput;
  /** `Last-Event-ID`. */
  readonly lastEventId?: string;
}

const EVENTS_KEPT_MAX = 50_000;
const HEARTBEAT_MS = 15_000;
/** Heartbeats are spread over the time between two of them. */
const HEARTBEAT_SLOTS = 15;
/** Trips under way that are remembered; beyond, they are looked up again. */
const TRIPS_MAX = 200_000;
const RETRY_AFTER_MS = 5_000;
/** Cells of followers are at most as fine as the fine cells. */
const RESOLUTION_MAX = 9;

const shownStates: ReadonlySet<TripState> = new Set(["assigned", "atPickup", "pickedUp"]);
const heartbeat = Buffer.from(":\n\n");

interface Following {
  readonly follower: SseFollower;
  /** Trips up to this version are in the snapshot already. */
  readonly jobVersion: number;
}

/** Where a follower is to be taken out again. */
interface Registration {
  readonly followings: Map<string, Set<Following>>;
  readonly key: string;
  readonly following: Following;
  readonly slot: Set<SseFollower> | undefined;
}

export class TrackingHub implements AsyncDisposable {
  readonly #options: TrackingHubOptions;
  readonly #ring: EventRing;
  readonly #bound: FollowersBound;
  readonly #trips = new Map<string, CurrentTrip>();
  readonly #byJob = new Map<string, Set<Following>>();
  readonly #byCell = new Map<string, Set<Following>>();
  /** Followed cells of each resolution. */
  readonly #resolutions = new Map<number, number>();
  readonly #slots: readonly Set<SseFollower>[] = Array.from({ length: HEARTBEAT_SLOTS }, () => new Set<SseFollower>());
  readonly #heart: NodeJS.Timeout;
  #topicFollower: TopicFollower | undefined;
  readonly #registrations = new Map<SseFollower, Registration>();
  #slowClosed = 0;
  #sent = 0;
  #beat = 0;
  #nextSlot = 0;

  private constructor(options: TrackingHubOptions) {
    this.#options = options;
    this.#bound = followersBound(options.followersMax);
    this.#ring = new EventRing({ epoch: options.epoch, eventsMax: options.eventsKeptMax ?? EVENTS_KEPT_MAX });
    this.#heart = setInterval(() => this.#beatOnce(), (options.heartbeatMs ?? HEARTBEAT_MS) / HEARTBEAT_SLOTS);
    this.#heart.unref();
  }

  /** Follows the topics from their ends on. */
  static async start(options: TrackingHubOptions): Promise<TrackingHub> {
    const hub = new TrackingHub(options);
    const { log, topics, onFailure } = options;
    hub.#topicFollower = await TopicFollower.start({
      log,
      topics: [topics.trips, topics.tracking],
      each: (topic, partition, cursor) => hub.#read(topic, partition, cursor),
      onFailure,
    });
    return hub;
  }

  /** Snapshot, or what was missed; then every trip and position of the job. Throws `KEY_NOT_FOUND`, `OVERLOADED`. */
  followJob(jobId: string, request: FollowRequest): SseFollower {
    const snapshot = this.#options.snapshots.ofJob(jobId);
    if (snapshot === undefined) throw new ApiError("KEY_NOT_FOUND", "nothing is known of this job");
    const jobVersion = this.#options.snapshots.trip(jobId)?.jobVersion ?? 0;
    return this.#follow(request, {
      followings: this.#byJob,
      key: jobId,
      jobVersion,
      snapshot: () => snapshot,
      concerns: (event) => event.jobId === jobId,
    });
  }

  /** Positions within the cell, and trips whose pickup is in it. Throws `BAD_REQUEST`, `OVERLOADED`. */
  followCell(cell: string, request: FollowRequest): SseFollower {
    const resolution = resolutionOf(cell);
    if (resolution > RESOLUTION_MAX)
      throw new ApiError("BAD_REQUEST", `a cell of resolution ${resolution} is too fine to follow: take 0 to ${RESOLUTION_MAX}`);
    return this.#follow(request, {
      followings: this.#byCell,
      key: cell,
      jobVersion: 0,
      snapshot: () => this.#options.snapshots.ofCell(cell),
      concerns: ({ point }) => point !== undefined && cellOf(point, resolution) === cell,
    });
  }

  counts(): { readonly followers: number; readonly slowClosed: number; readonly sent: number } {
    return { followers: this.#registrations.size, slowClosed: this.#slowClosed, sent: this.#sent };
  }

  /** Ends every stream; their clients come back, here or elsewhere. */
  closeFollowers(): void {
    for (const slot of this.#slots) for (const follower of slot) follower.close();
  }

  /** The client is gone. */
  unfollow(follower: SseFollower): void {
    follower.close();
    const registration = this.#registrations.get(follower);
    if (registration === undefined) return;
    this.#registrations.delete(follower);
    const { followings, key, following, slot } = registration;
    slot?.delete(follower);
    const set = followings.get(key);
    set?.delete(following);
    if (set === undefined || set.size > 0) return;
    followings.delete(key);
    if (followings === this.#byCell) this.#countResolution(key, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heart);
    this.closeFollowers();
    await this.#topicFollower?.[Symbol.asyncDispose]();
  }

  #follow(
    { output, lastEventId }: FollowRequest,
    stream: {
      readonly followings: Map<string, Set<Following>>;
      readonly key: string;
      readonly jobVersion: number;
      readonly snapshot: () => unknown;
      readonly concerns: (event: LiveEvent) => boolean;
    },
  ): SseFollower {
    const { followings, key, snapshot, concerns } = stream;
    if (this.#registrations.size >= this.#bound.most)
      throw new ApiError("OVERLOADED", this.#bound.why, { reason: "FOLLOWERS", retryAfterMs: RETRY_AFTER_MS });
    const missed = lastEventId === undefined ? undefined : this.#ring.after(lastEventId);
    const begin = missed === undefined ? snapshot() : undefined;
    const follower = new SseFollower(output, () => this.#slowClosed++);
    let { jobVersion } = stream;
    if (missed === undefined) follower.send(eventFrame(lastEventId === undefined ? "snapshot" : "reset", begin, this.#ring.head));
    else {
      jobVersion = 0;
      for (const event of missed) if (concerns(event)) this.#send(follower, event);
    }
    let set = followings.get(key);
    if (set === undefined) {
      followings.set(key, (set = new Set()));
      if (followings === this.#byCell) this.#countResolution(key, 1);
    }
    const following = { follower, jobVersion };
    set.add(following);
    const slot = this.#slots[this.#nextSlot++ % HEARTBEAT_SLOTS];
    slot?.add(follower);
    this.#registrations.set(follower, { followings, key, following, slot });
    return follower;
  }

  #read(topic: string, partition: number, cursor: RecordBatchCursor): void {
    const { trips, tracking } = this.#options.topics;
    const { bytes, valueStart, valueEnd, offset } = cursor;
    if (valueStart < 0) return;
    const place = { partition, offset };
    if (topic === trips.name) this.#trip(trips.value.decode(bytes, valueStart, valueEnd), place);
    else this.#tracked(tracking.value.decode(bytes, valueStart, valueEnd), place);
  }

  #trip(trip: TripChanged, place: { readonly partition: number; readonly offset: number }): void {
    this.#options.onTrip?.(trip);
    const { jobId, state, attempt, jobVersion, driverId, reason, at, content } = trip;
    if (state === "completed" || state === "cancelled" || state === "failed") this.#trips.delete(jobId);
    else this.#remember(jobId, { state, attempt, jobVersion, driverId });
    const data = { jobId, state, attempt, jobVersion, driverId, reason, at };
    this.#publish({ kind: "trip", jobId, jobVersion, point: content?.pickup, ...place }, data);
  }

  #tracked(record: JobTracked, place: { readonly partition: number; readonly offset: number }): void {
    const { jobId, driverId, attempt, position, pickupEta, dropOffEta, at } = record;
    const trip = this.#tripOf(jobId);
    if (trip === undefined || trip.driverId !== driverId || trip.attempt !== attempt || !shownStates.has(trip.state)) return;
    const data = { jobId, driverId, attempt, position, pickupEta, dropOffEta, at };
    this.#publish({ kind: "position", jobId, jobVersion: trip.jobVersion, point: position, ...place }, data);
  }

  /** From the trips as they came; for one that was under way before, from its committed row. */
  #tripOf(jobId: string): CurrentTrip | undefined {
    const known = this.#trips.get(jobId);
    if (known !== undefined) return known;
    const trip = this.#options.snapshots.trip(jobId);
    if (trip !== undefined && shownStates.has(trip.state)) this.#remember(jobId, trip);
    return trip;
  }

  #remember(jobId: string, trip: CurrentTrip): void {
    if (this.#trips.size >= TRIPS_MAX) this.#trips.clear();
    this.#trips.set(jobId, trip);
  }

  #publish(about: Omit<LiveEvent, "frame">, data: unknown): void {
    const event: LiveEvent = { ...about, frame: Buffer.from(eventFrame(about.kind, data, this.#ring.idOf(about))) };
    this.#ring.push(event);
    const byJob = this.#byJob.get(event.jobId);
    if (byJob !== undefined) this.#sendAll(byJob, event);
    if (event.point === undefined) return;
    for (const resolution of this.#resolutions.keys()) {
      const byCell = this.#byCell.get(cellOf(event.point, resolution));
      if (byCell !== undefined) this.#sendAll(byCell, event);
    }
  }

  #sendAll(followings: ReadonlySet<Following>, event: LiveEvent): void {
    for (const { follower, jobVersion } of followings)
      if (event.kind === "position" || event.jobVersion > jobVersion) this.#send(follower, event);
  }

  #send(follower: SseFollower, event: LiveEvent): void {
    if (follower.send(event.frame)) this.#sent++;
  }

  #countResolution(cell: string, change: 1 | -1): void {
    const resolution = resolutionOf(cell);
    const count = (this.#resolutions.get(resolution) ?? 0) + change;
    if (count <= 0) this.#resolutions.delete(resolution);
    else this.#resolutions.set(resolution, count);
  }

  #beatOnce(): void {
    this.#beat = (this.#beat + 1) % HEARTBEAT_SLOTS;
    for (const follower of this.#slots[this.#beat] ?? []) follower.send(heartbeat);
  }
}
