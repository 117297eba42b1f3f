/**
 * A day of an instance with the policy alone: the world's couriers obey at once, without log, topologies or protocol between.
 * Several times faster than `simulate` and judged by the same evaluator; who tunes needs many days. What is reported is played
 * by `simulate`.
 */
import { mdrpParameters } from "#cli";
import { evaluateMdrp, readInstanceTexts, type MdrpMetrics } from "#proof";
import type { DriverEvent, DriverLocation, PlanStop, Point, PresentJob } from "#schemas";
import { h3Geography, type KnownDriver, type Match, type Move, type OpenJob, type Policy } from "#topologies";
import { createMdrpWorld, MINUTE_MS, readInstance, SolutionRecorder, WORLD_DEFAULTS, type FleetWorld, type WorldEvent } from "#world";

export interface QuickDayOptions {
  /** Folder of the instance. */
  readonly data: string;
  readonly policy: Policy;
  /** Of the policy, where they differ from what it has on instances; `windowMinutes` besides: a tick only every so many. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Only mean preparation times are told. */
  readonly noisy?: boolean;
}

/** Plain JSON. */
export interface QuickDay {
  readonly metrics: MdrpMetrics;
  readonly feasible: boolean;
  readonly ticks: number;
  /** Of this thread's processor, so that a busy machine changes little. */
  readonly tickMsMean: number;
  readonly tickMsMax: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Driver = Mutable<KnownDriver>;

const NOBODY: ReadonlySet<string> = new Set();

/** Rejects with WorldError or ProofError for an instance that cannot be read. */
export function playQuickDay({ data, policy, parameters, seed, noisy = false }: QuickDayOptions): QuickDay {
  const instance = readInstance(data);
  const { dayStartsAt: startsAt } = WORLD_DEFAULTS;
  const journal = new SolutionRecorder({ instance, startsAt });
  const world = createMdrpWorld({ instance, startsAt, journal, readyTimes: noisy ? "mean" : "exact" });
  const own = {
    metresPerMinute: instance.parameters.metersPerMinute,
    serviceMs: instance.parameters.pickupServiceMinutes * MINUTE_MS,
    quantumMs: MINUTE_MS,
    guaranteedJobsPerHour: instance.parameters.guaranteedPayPerHour / instance.parameters.payPerOrder,
    ...mdrpParameters(policy.name, noisy),
    ...parameters,
  };
  const travel = h3Geography().travelModel({ travelModel: "plane", parameters: own });
  const windowMinutes = parameters["windowMinutes"] ?? 1;
  const dispatch = new QuickDispatch(world);
  const spent: number[] = [];
  let memory: string | undefined;
  const last = Math.max(...instance.couriers.map(({ offTime }) => offTime));
  for (let minute = 0; minute <= last; minute++) {
    const now = startsAt + minute * MINUTE_MS;
    // Who reached a counter in no time says so at the end of the minute before.
    dispatch.hear(world.run(now));
    const { drivers, jobs } = dispatch;
    if (jobs.length === 0 || drivers.length === 0 || minute % windowMinutes !== 0) continue;
    const begun = process.threadCpuUsage();
    const problem = { now, jobs, drivers, nearby: () => drivers, travel, parameters: own, seed: (seed * 7919 + minute) >>> 0 };
    const remembering = policy.matchRemembering?.(memory === undefined ? problem : { ...problem, memory });
    const matches = remembering?.matches ?? policy.match(problem);
    memory = remembering?.memory;
    const used = process.threadCpuUsage(begun);
    spent.push((used.user + used.system) / 1_000);
    for (const match of matches) dispatch.assign(match, now);
    for (const move of remembering?.moves ?? []) dispatch.move(move, now);
  }
  while (world.nextDueAt() < Infinity) world.run(world.nextDueAt());
  const { metrics, feasible } = evaluateMdrp(readInstanceTexts(data), journal.files());
  const total = spent.reduce((sum, ms) => sum + ms, 0);
  return { metrics, feasible, ticks: spent.length, tickMsMean: total / Math.max(1, spent.length), tickMsMax: Math.max(0, ...spent) };
}

/** What cell and drivers know, kept as `drivers` and `matching` keep it when nobody declines. */
class QuickDispatch {
  readonly #world: FleetWorld;
  readonly #drivers = new Map<string, Driver>();
  readonly #open = new Map<string, OpenJob>();
  readonly #given = new Map<string, OpenJob>();

  constructor(world: FleetWorld) {
    this.#world = world;
  }

  get drivers(): readonly KnownDriver[] {
    return [...this.#drivers.values()].sort((a, b) => (a.driverId < b.driverId ? -1 : 1));
  }

  get jobs(): readonly OpenJob[] {
    return [...this.#open.values()].sort((a, b) => a.content.readyAt - b.content.readyAt || (a.jobId < b.jobId ? -1 : 1));
  }

  hear(events: readonly WorldEvent[]): void {
    for (const { topic, value, timestamp } of events) {
      if (topic === "driverEvents") this.#driverActed(value, timestamp);
      else if (topic === "driverLocations") this.#located(value);
      else if (topic === "orders" && value.type === "OrderPlaced") {
        const { orderId, pickup, dropOff, restaurantId, readyAt, occurredAt, requirements, priceMinor, currency } = value;
        const where = { kind: "order", pickup, dropOff, placeId: restaurantId, readyAt, placedAt: occurredAt } as const;
        const content = { ...where, notBefore: value.notBefore, requirements, priceMinor, currency };
        const job = { jobId: orderId, attempt: 1, orderVersion: 1, content, notBefore: 0, excludedDrivers: NOBODY, skip: undefined };
        this.#open.set(orderId, job);
      }
    }
  }

  assign({ driverId, jobIds, plan }: Match, now: number): void {
    const driver = this.#drivers.get(driverId);
    const jobs = jobIds.flatMap((jobId) => this.#open.get(jobId) ?? []);
    if (driver === undefined || jobs.length !== jobIds.length) throw new TypeError(`${driverId} cannot take ${jobIds.join(" ")}`);
    for (const job of jobs) {
      this.#open.delete(job.jobId);
      this.#given.set(job.jobId, job);
    }
    const { jobs: held } = driver;
    driver.jobs = [...held, ...jobs.map(presentJob)];
    driver.plan = plan;
    driver.driverVersion += 1;
    driver.toldAt = now;
    for (const { jobId, attempt } of jobs) {
      const base = { jobId, proposalId: "", attempt, jobVersion: 1, policy: "", at: now } as const;
      this.#world.observe({ ...base, type: "DriverAssigned", driverId, driverVersion: driver.driverVersion, slackMs: 0, pickupEta: 0 });
    }
  }

  move(move: Move, at: number): void {
    this.#world.observe({ ...move, type: "DriverRepositioned", cell: "", driverVersion: 1, policy: "", at });
  }

  #driverActed(event: DriverEvent, at: number): void {
    const { driverId } = event;
    if (event.type === "ShiftStarted") {
      const { vehicle, tags, capacity, position, endsAt } = event;
      const rest = { vehicle, tags, capacity, position, shiftEndsAt: endsAt, asked: false } as const;
      this.#drivers.set(driverId, { driverId, driverVersion: 1, plan: [], jobs: [], toldAt: at, ...rest });
      return;
    }
    const driver = this.#drivers.get(driverId);
    if (driver === undefined) return;
    if (event.type === "ShiftEnded") {
      this.#drivers.delete(driverId);
      for (const { jobId, status } of driver.jobs) this.#giveBack(jobId, status);
      return;
    }
    if (event.type === "ArrivedAtPickup") return this.#at(driver, event.jobId, "pickup", at, (job) => ({ ...job, arrived: true }));
    if (event.type === "PickedUp") {
      this.#at(driver, event.jobId, "pickup", at, pickedUp);
      driver.plan = driver.plan.filter((stop) => stop.jobId !== event.jobId || stop.kind !== "pickup");
    }
    if (event.type !== "DroppedOff") return;
    this.#at(driver, event.jobId, "dropOff", at, (job) => job);
    driver.plan = driver.plan.filter((stop) => stop.jobId !== event.jobId);
    driver.jobs = driver.jobs.filter((job) => job.jobId !== event.jobId);
    this.#given.delete(event.jobId);
  }

  #located({ driverId, position, recordedAt }: DriverLocation): void {
    const driver = this.#drivers.get(driverId);
    if (driver === undefined || driver.jobs.length > 0) return;
    driver.position = position;
    driver.toldAt = recordedAt;
  }

  #at(driver: Driver, jobId: string, kind: PlanStop["kind"], at: number, change: (job: PresentJob) => PresentJob): void {
    const content = this.#given.get(jobId)?.content;
    const point: Point | undefined = kind === "pickup" ? content?.pickup : content?.dropOff;
    if (point !== undefined) driver.position = point;
    driver.jobs = driver.jobs.map((job) => (job.jobId === jobId ? change(job) : job));
    driver.driverVersion += 1;
    driver.toldAt = at;
  }

  #giveBack(jobId: string, status: PresentJob["status"]): void {
    const job = this.#given.get(jobId);
    if (job === undefined || status === "pickedUp") return;
    this.#given.delete(jobId);
    this.#open.set(jobId, { ...job, attempt: job.attempt + 1 });
  }
}

function pickedUp(job: PresentJob): PresentJob {
  return { ...job, arrived: true, status: "pickedUp" };
}

function presentJob({ jobId, content }: OpenJob): PresentJob {
  return { jobId, status: "held", placeId: content.placeId, readyAt: content.readyAt, arrived: false };
}
