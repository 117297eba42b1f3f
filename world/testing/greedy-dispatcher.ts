/** A dispatcher for the world's own tests: nearest free courier, bundles at the counter's door, no engine. Not for use elsewhere. */
import type { AssignmentEvent, DriverEvent, OrderEvent, Point } from "#schemas";
import type { World, WorldEvent } from "../world.ts";

interface OpenJob {
  readonly jobId: string;
  readonly placeId: string;
  readonly pickup: Point;
  attempt: number;
}
interface KnownDriver {
  readonly driverId: string;
  readonly endsAt: number;
  at: Point;
  jobs: { readonly job: OpenJob; pickedUp: boolean }[];
  arrived: boolean;
}

export interface GreedyOptions {
  readonly tickMs: number;
  readonly startsAt: number;
  readonly capacity?: number;
}

/** Gives each waiting job at each tick to a courier who is on his way to its restaurant, else to the nearest idle one. */
export class GreedyDispatcher {
  readonly published: AssignmentEvent[] = [];
  readonly #drivers = new Map<string, KnownDriver>();
  readonly #open: OpenJob[] = [];
  readonly #versions = new Map<string, number>();
  readonly #capacity: number;

  constructor(capacity = 4) {
    this.#capacity = capacity;
  }

  get waiting(): number {
    return this.#open.length;
  }

  hear(event: WorldEvent): void {
    if (event.topic === "orders") this.#hearOrder(event.value);
    else if (event.topic === "driverEvents") this.#hearDriver(event.value);
  }

  tick(at: number): AssignmentEvent[] {
    const out: AssignmentEvent[] = [];
    for (const job of this.#open.slice()) {
      const driver = this.#companionFor(job) ?? this.#nearestIdle(job);
      if (driver === undefined) continue;
      this.#open.splice(this.#open.indexOf(job), 1);
      driver.jobs.push({ job, pickedUp: false });
      const base = this.#base(job, at);
      out.push({ ...base, type: "DriverAssigned", driverId: driver.driverId, driverVersion: 1, slackMs: 0, pickupEta: at });
    }
    this.published.push(...out);
    return out;
  }

  /** Takes a job back from its driver before the pickup, as a customer's cancellation does. */
  revoke(jobId: string, at: number): AssignmentEvent | undefined {
    for (const driver of this.#drivers.values()) {
      const held = driver.jobs.find(({ job, pickedUp }) => job.jobId === jobId && !pickedUp);
      if (held === undefined) continue;
      driver.jobs = driver.jobs.filter((other) => other !== held);
      const event = {
        ...this.#base(held.job, at),
        type: "AssignmentRevoked",
        driverId: driver.driverId,
        driverVersion: 1,
        reason: "cancelled",
      } as const;
      this.published.push(event);
      return event;
    }
    return undefined;
  }

  #hearOrder(event: OrderEvent): void {
    if (event.type !== "OrderPlaced") return;
    this.#open.push({ jobId: event.orderId, placeId: event.restaurantId, pickup: event.pickup, attempt: 1 });
  }

  #hearDriver(event: DriverEvent): void {
    const driver = this.#drivers.get(event.driverId);
    if (event.type === "ShiftStarted") {
      const fresh = { driverId: event.driverId, endsAt: event.endsAt ?? Infinity, at: event.position, jobs: [], arrived: false };
      this.#drivers.set(event.driverId, fresh);
      return;
    }
    if (driver === undefined) return;
    if (event.type === "ShiftEnded") {
      this.#drivers.delete(event.driverId);
      for (const { job, pickedUp } of driver.jobs) if (!pickedUp) this.#open.push({ ...job, attempt: job.attempt + 1 });
      return;
    }
    const held = driver.jobs.find(({ job }) => job.jobId === event.jobId);
    if (held === undefined) return;
    if (event.type === "ArrivedAtPickup") driver.arrived = true;
    if (event.type === "PickedUp") held.pickedUp = true;
    if (event.type === "DroppedOff") {
      driver.jobs = driver.jobs.filter((other) => other !== held);
      driver.arrived = driver.jobs.length > 0;
    }
  }

  #companionFor(job: OpenJob): KnownDriver | undefined {
    for (const driver of this.#drivers.values()) {
      const [first] = driver.jobs;
      if (first?.job.placeId === job.placeId && job.placeId !== "" && !driver.arrived && driver.jobs.length < this.#capacity) return driver;
    }
    return undefined;
  }

  #nearestIdle(job: OpenJob): KnownDriver | undefined {
    let nearest: KnownDriver | undefined;
    let least = Infinity;
    for (const driver of this.#drivers.values()) {
      if (driver.jobs.length > 0) continue;
      const distance = (driver.at.latitude - job.pickup.latitude) ** 2 + (driver.at.longitude - job.pickup.longitude) ** 2;
      if (distance < least) {
        least = distance;
        nearest = driver;
      }
    }
    if (nearest !== undefined) nearest.at = job.pickup;
    return nearest;
  }

  #base(job: OpenJob, at: number) {
    const jobVersion = (this.#versions.get(job.jobId) ?? 0) + 1;
    this.#versions.set(job.jobId, jobVersion);
    return { jobId: job.jobId, proposalId: `cell/${at}`, attempt: job.attempt, jobVersion, policy: "greedy", at };
  }
}

/** One day in virtual time: world and dispatcher by turns; a tick comes after everything else of its time. Resumable by its own state. */
export class VirtualDay {
  readonly produced: WorldEvent[] = [];
  world: World;
  readonly dispatcher: GreedyDispatcher;
  /** Time of the last step. */
  at = 0;
  /** What reaches the world between the ticks, decided by a test. */
  readonly #meddle: (day: VirtualDay, at: number) => readonly AssignmentEvent[];
  readonly #tickMs: number;
  #nextTick: number;
  #quiet = 0;

  constructor(world: World, options: GreedyOptions, meddle: (day: VirtualDay, at: number) => readonly AssignmentEvent[] = () => []) {
    this.world = world;
    this.dispatcher = new GreedyDispatcher(options.capacity);
    this.#tickMs = options.tickMs;
    this.#nextTick = options.startsAt;
    this.#meddle = meddle;
  }

  /** Records that reached the log without the world having said so in this life. */
  accept(events: readonly WorldEvent[]): void {
    for (const event of events) {
      this.produced.push(event);
      this.dispatcher.hear(event);
    }
  }

  /**
   * False when nothing is left to do. With `lose` the world dies while it steps: of what it says now, so many of the last
   * records never reach the log, and no tick follows.
   */
  step(lose = 0): boolean {
    const due = this.world.nextDueAt();
    if (due === Infinity && this.#quiet > 60) return false;
    const at = Math.min(due, this.#nextTick);
    this.at = at;
    const events = this.world.run(at);
    let reached = Math.max(0, events.length - lose);
    // A stop and its location are one append.
    while (reached > 0 && events[reached]?.topic === "driverLocations") reached -= 1;
    this.accept(events.slice(0, reached));
    if (lose > 0) return true;
    this.#quiet = events.length === 0 ? this.#quiet : 0;
    if (at === this.#nextTick && this.world.nextDueAt() > at) {
      this.#nextTick += this.#tickMs;
      this.#quiet += 1;
      for (const record of [...this.#meddle(this, at), ...this.dispatcher.tick(at)]) this.world.observe(record);
    }
    return true;
  }

  /** To the end, or until `until`. */
  finish(until = Infinity): void {
    while (this.at < until && this.step());
  }
}
