/** A small double of the whole application, one event at a time and nothing on the way: it writes histories without a fault. */
import type {
  AssignmentEvent,
  DriverEvent,
  DropReason,
  InputRefused,
  JobBilled,
  JobContent,
  JobUpdate,
  MatchingInput,
  OrderEvent,
  ProgressStep,
  RefusalReason,
  RideEvent,
  TripChanged,
  TripState,
} from "#schemas";
import { topicNames } from "../history.ts";
import type { ProofRecord } from "../history.ts";

export interface Topics {
  readonly orders: ProofRecord<OrderEvent>[];
  readonly rides: ProofRecord<RideEvent>[];
  readonly driverEvents: ProofRecord<DriverEvent>[];
  readonly refusals: ProofRecord<InputRefused>[];
  readonly jobUpdates: ProofRecord<JobUpdate>[];
  readonly assignments: ProofRecord<AssignmentEvent>[];
  readonly trips: ProofRecord<TripChanged>[];
  readonly bills: ProofRecord<JobBilled>[];
  readonly matchingInput: ProofRecord<MatchingInput>[];
}

interface Hold {
  readonly jobId: string;
  status: "offered" | "held" | "pickedUp";
  arrived: boolean;
}
interface Driver {
  readonly driverId: string;
  version: number;
  duty: "on" | "off" | "silent";
  capacity: number;
  holds: Hold[];
}
interface Job {
  readonly jobId: string;
  state: TripState;
  attempt: number;
  jobVersion: number;
  orderVersion: number;
  content: JobContent | null;
  driverId: string | null;
  driverVersion: number | null;
  proposalId: string;
}

const ENDED: readonly TripState[] = ["completed", "cancelled", "failed"];
const ATTEMPTS_MAX = 3;

/** Plays one random day; the same numbers give the same history. */
export function cleanHistory(numbers: readonly number[]): Topics {
  const city = new City();
  for (let driver = 0; driver < 3; driver++) city.startShift(`d${driver}`, 1 + (driver % 3));
  for (const number of numbers) city.play(number);
  city.finish();
  return city.topics;
}

export class City {
  readonly topics: Topics = {
    orders: [],
    rides: [],
    driverEvents: [],
    refusals: [],
    jobUpdates: [],
    assignments: [],
    trips: [],
    bills: [],
    matchingInput: [],
  };
  readonly drivers = new Map<string, Driver>();
  readonly jobs = new Map<string, Job>();
  readonly #offsets = new Map<string, number>();
  #now = 1_000;
  #events = 0;

  /** One random thing that may happen now, if anything may. */
  play(number: number): void {
    this.#now += 10;
    const drivers = [...this.drivers.values()];
    const driver = drivers[number % drivers.length];
    const open = [...this.jobs.values()].filter((job) => !ENDED.includes(job.state));
    const job = open[(number >> 3) % Math.max(1, open.length)];
    const hold = driver?.holds[(number >> 3) % Math.max(1, driver.holds.length)];
    const choice = (number >> 8) % 24;
    if (driver === undefined) return;
    if (choice <= 3) return this.place(choice);
    if (choice <= 8) return this.assign(driver, choice % 2 === 0, open);
    if (choice === 9) return driver.duty === "on" ? this.endShift(driver) : this.startShift(driver.driverId, 1 + (number % 4));
    if (choice === 10 && driver.duty === "on") return this.silence(driver);
    if (choice === 11 && job !== undefined) return this.change(job);
    if (choice === 12 && job !== undefined) return this.cancel(job, number % 2 === 0);
    if (choice === 13 && job !== undefined && number % 2 === 0) return this.deadline(job);
    if (choice === 14) return this.repeatEvent();
    if (choice >= 15 && hold !== undefined) this.act(driver, hold, choice);
  }

  /** Everything that has not ended runs into its deadline. */
  finish(): void {
    this.#now += 1_000;
    for (const job of this.jobs.values()) if (!ENDED.includes(job.state)) this.deadline(job);
  }

  startShift(driverId: string, capacity: number): void {
    const driver = this.drivers.get(driverId) ?? { driverId, version: 0, duty: "off", capacity, holds: [] };
    this.drivers.set(driverId, driver);
    const position = { latitude: 0, longitude: 0 };
    const shift = { position, vehicle: "car", tags: [], capacity, endsAt: null } as const;
    this.#driverEvent({ ...this.#base(driverId), type: "ShiftStarted", ...shift });
    driver.capacity = capacity;
    driver.duty = "on";
    this.#replan(driver, true);
  }

  endShift(driver: Driver): void {
    this.#driverEvent({ ...this.#base(driver.driverId), type: "ShiftEnded" });
    this.#off(driver, "off", "shiftEnded");
  }

  silence(driver: Driver): void {
    this.#off(driver, "silent", "silent");
  }

  place(kind: number): void {
    const jobId = `j${this.jobs.size}`;
    const eventId = this.#eventId();
    const at = { latitude: kind, longitude: this.jobs.size };
    const asked = { occurredAt: this.#now, notBefore: this.#now - 5, pickup: { latitude: kind, longitude: 0 }, dropOff: at };
    const common = { ...asked, version: 1, requirements: [], currency: "EUR", eventId };
    const content = {
      pickup: asked.pickup,
      dropOff: at,
      placedAt: this.#now,
      notBefore: asked.notBefore,
      requirements: [],
      currency: "EUR",
    };
    const readyAt = this.#now + 600;
    if (kind === 0) {
      this.#append("rides", jobId, { type: "RideRequested", rideId: jobId, quoteMinor: 500, ...common });
      this.#open(jobId, { ...content, kind: "ride", placeId: "", readyAt: this.#now, priceMinor: 500 });
      return;
    }
    const goods = { restaurantId: `r${kind}`, readyAt, priceMinor: 2_000 };
    this.#append("orders", jobId, { type: "OrderPlaced", orderId: jobId, ...goods, ...common });
    this.#open(jobId, { ...content, kind: "order", placeId: `r${kind}`, readyAt, priceMinor: 2_000 });
  }

  /** One proposal: a ride alone, or orders of one place within capacity. */
  assign(driver: Driver, offer: boolean, open: readonly Job[]): void {
    if (driver.duty !== "on" || driver.holds.some((hold) => hold.arrived || hold.status === "pickedUp")) return;
    const waiting = open.filter((job) => job.state === "open");
    const place = driver.holds.length > 0 ? this.jobs.get(driver.holds[0]?.jobId ?? "")?.content?.placeId : waiting[0]?.content?.placeId;
    if (place === undefined || (place === "" && driver.holds.length > 0)) return;
    const room = place === "" ? 1 : driver.capacity - driver.holds.length;
    const taken = waiting.filter((job) => job.content?.placeId === place).slice(0, Math.min(2, room));
    if (taken.length === 0) return;
    const proposalId = `c/${this.#now}/${driver.driverId}`;
    const offerUntil = offer ? this.#now + 30 : null;
    for (const job of taken) driver.holds.push({ jobId: job.jobId, status: offer ? "offered" : "held", arrived: false });
    this.#replan(driver);
    for (const job of taken) {
      const who = { driverId: driver.driverId, driverVersion: driver.version };
      const terms = { proposalId, policy: "p", slackMs: 5, pickupEta: this.#now + 50 };
      const update = { type: "JobReserved", ...this.#update(job, driver), orderVersion: job.orderVersion, offerUntil, ...terms } as const;
      this.#append("jobUpdates", job.jobId, update);
      Object.assign(job, who, { proposalId });
      const { slackMs, pickupEta, ...rest } = terms;
      const base = { ...this.#published(job, job.jobVersion + 1), ...who, ...rest };
      if (offerUntil === null) this.#append("assignments", job.jobId, { type: "DriverAssigned", ...base, slackMs, pickupEta });
      else this.#append("assignments", job.jobId, { type: "DriverOffered", ...base, offerUntil });
      this.#enter(job, offer ? "offered" : "assigned");
    }
  }

  act(driver: Driver, hold: Hold, choice: number): void {
    const { jobId } = hold;
    if (hold.status === "offered") {
      if (choice === 15) return this.drop(driver, [hold], "declined", true);
      if (choice === 16) return this.drop(driver, [hold], "offerExpired", false);
      this.#action("JobAccepted", driver, jobId);
      hold.status = "held";
      return this.#progress(driver, jobId, "accepted", "assigned");
    }
    if (hold.status === "held" && !hold.arrived && choice % 2 === 0) {
      this.#action("ArrivedAtPickup", driver, jobId);
      hold.arrived = true;
      return this.#progress(driver, jobId, "arrived", "atPickup");
    }
    if (hold.status === "held") {
      if (choice === 15) return this.drop(driver, [hold], "declined", true);
      this.#action("PickedUp", driver, jobId);
      Object.assign(hold, { status: "pickedUp", arrived: true });
      this.#replan(driver);
      return this.#progress(driver, jobId, "pickedUp", "pickedUp");
    }
    this.#action("DroppedOff", driver, jobId);
    driver.holds = driver.holds.filter((other) => other !== hold);
    this.#replan(driver);
    this.#progress(driver, jobId, "droppedOff", "completed");
  }

  drop(driver: Driver, holds: readonly Hold[], reason: DropReason, byEvent: boolean): void {
    if (byEvent) for (const hold of holds) this.#action("JobDeclined", driver, hold.jobId);
    driver.holds = driver.holds.filter((hold) => !holds.includes(hold));
    this.#replan(driver, driver.duty === "on");
    for (const { jobId } of holds) {
      const job = this.#job(jobId);
      this.#append("jobUpdates", jobId, { type: "JobDropped", ...this.#update(job, driver), reason });
      job.driverVersion = driver.version;
      this.#revoke(job, reason);
      if (job.attempt < ATTEMPTS_MAX) {
        Object.assign(job, { attempt: job.attempt + 1, driverId: null, driverVersion: null });
        this.#enter(job, "open");
        continue;
      }
      this.#fail(job, "attempts");
    }
  }

  change(job: Job): void {
    if (job.content?.kind !== "order") return;
    const version = job.orderVersion + 1;
    const readyAt = job.content.readyAt + 7;
    const base = { orderId: job.jobId, occurredAt: this.#now, eventId: this.#eventId(), readyAt };
    if (version === 3) {
      this.#append("orders", job.jobId, { type: "OrderReadyTimeChanged", version: 1, ...base });
      this.#refuse("orders", job.jobId, "VERSION_OLD");
      return;
    }
    this.#append("orders", job.jobId, { type: "OrderReadyTimeChanged", version, ...base });
    Object.assign(job, { orderVersion: version, content: { ...job.content, readyAt } });
    this.#enter(job, job.state);
  }

  /** `crossing`: the driver says that he has arrived while the cancellation is under way. */
  cancel(job: Job, crossing: boolean): void {
    const base = { version: job.orderVersion, occurredAt: this.#now, reason: "", eventId: this.#eventId() };
    const topic = job.content?.kind === "ride" ? "rides" : "orders";
    if (topic === "rides") this.#append("rides", job.jobId, { type: "RideCancelled", rideId: job.jobId, ...base });
    else this.#append("orders", job.jobId, { type: "OrderCancelled", orderId: job.jobId, ...base });
    if (job.state === "pickedUp") return this.#refuse(topic, job.jobId, "PICKED_UP");
    const driver = job.driverId === null ? undefined : this.drivers.get(job.driverId);
    const hold = driver?.holds.find((other) => other.jobId === job.jobId);
    if (driver !== undefined) this.#revoke(job, "cancelled");
    this.#enter(job, "cancelled");
    if (driver !== undefined && crossing && hold?.status === "held" && !hold.arrived) {
      const eventId = this.#action("ArrivedAtPickup", driver, job.jobId);
      this.#append("jobUpdates", job.jobId, { type: "JobProgressed", ...this.#update(job, driver), step: "arrived", eventId });
      this.#refuse("jobUpdates", job.jobId, "ENDED");
    }
    this.#release(driver, job.jobId);
    if (driver !== undefined && !crossing) {
      this.#action("PickedUp", driver, job.jobId);
      this.#refuse("driverEvents", driver.driverId, "NOT_YOURS");
    }
  }

  deadline(job: Job): void {
    const driver = job.driverId === null ? undefined : this.drivers.get(job.driverId);
    if (driver !== undefined) this.#revoke(job, "deadline");
    this.#fail(job, "deadline");
    this.#release(driver, job.jobId);
  }

  /** The newest order event arrives again. */
  repeatEvent(): void {
    const last = this.topics.orders.at(-1);
    if (last === undefined) return;
    this.#append("orders", last.value.orderId, last.value);
    this.#refuse("orders", last.value.orderId, "DUPLICATE");
  }

  #off(driver: Driver, duty: "off" | "silent", reason: DropReason): void {
    driver.duty = duty;
    const dropped = driver.holds.filter((hold) => hold.status !== "pickedUp");
    this.drop(driver, dropped, reason, false);
  }

  #release(driver: Driver | undefined, jobId: string): void {
    if (driver === undefined) return;
    driver.holds = driver.holds.filter((hold) => hold.jobId !== jobId);
    this.#replan(driver, driver.duty === "on");
  }

  #open(jobId: string, content: JobContent): void {
    const blank = { driverId: null, driverVersion: null, proposalId: "" };
    const job: Job = { jobId, state: "open", attempt: 1, jobVersion: 0, orderVersion: 1, content, ...blank };
    this.jobs.set(jobId, job);
    this.#enter(job, "open");
  }

  #progress(driver: Driver, jobId: string, step: ProgressStep, state: TripState): void {
    const job = this.#job(jobId);
    const eventId = this.topics.driverEvents.at(-1)?.value.eventId ?? "";
    this.#append("jobUpdates", jobId, { type: "JobProgressed", ...this.#update(job, driver), step, eventId });
    job.driverVersion = driver.version;
    if (step === "accepted") {
      const who = { driverId: driver.driverId, driverVersion: driver.version };
      this.#append("assignments", jobId, {
        type: "DriverAssigned",
        ...this.#published(job, job.jobVersion + 1),
        ...who,
        slackMs: 5,
        pickupEta: 5,
      });
    }
    this.#enter(job, state);
    if (state !== "completed") return;
    const goods = job.content?.kind === "order" ? 2_000 : 0;
    this.#append("bills", jobId, {
      type: "JobBilled",
      jobId,
      driverId: driver.driverId,
      attempt: job.attempt,
      currency: "EUR",
      customerMinor: goods + 500,
      driverMinor: 400,
      platformMinor: 100,
      merchantMinor: goods,
      lines: [
        { kind: "goods", amountMinor: goods },
        { kind: "base", amountMinor: 500 },
      ],
      surgeMilli: 1_000,
      at: this.#now,
    });
  }

  #fail(job: Job, reason: "deadline" | "attempts"): void {
    this.#append("assignments", job.jobId, {
      type: "AssignmentFailed",
      ...this.#published(job, job.jobVersion + 1),
      reason,
      retryAfterSeconds: 1,
    });
    this.#enter(job, "failed");
  }

  #revoke(job: Job, reason: DropReason | "cancelled" | "deadline"): void {
    const who = { driverId: job.driverId ?? "", driverVersion: job.driverVersion ?? 0 };
    this.#append("assignments", job.jobId, { type: "AssignmentRevoked", ...this.#published(job, job.jobVersion + 1), ...who, reason });
  }

  #enter(job: Job, state: TripState): void {
    job.state = state;
    job.jobVersion++;
    const { jobId, jobVersion, attempt, driverId, driverVersion, content } = job;
    const trip = {
      type: "TripChanged",
      jobId,
      jobVersion,
      attempt,
      state,
      driverId,
      driverVersion,
      reason: "",
      at: this.#now,
      content,
      surgeMilli: 1_000,
    } as const;
    this.#append("trips", jobId, trip);
  }

  #published({ jobId, attempt, proposalId }: Job, jobVersion: number) {
    return { jobId, proposalId, attempt, jobVersion, policy: "p", at: this.#now };
  }

  #update(job: Job, driver: Driver) {
    return { jobId: job.jobId, attempt: job.attempt, driverId: driver.driverId, driverVersion: driver.version, at: this.#now };
  }

  #action(type: "JobAccepted" | "JobDeclined" | "ArrivedAtPickup" | "PickedUp" | "DroppedOff", driver: Driver, jobId: string): string {
    const event = { ...this.#base(driver.driverId), type, jobId, attempt: this.#job(jobId).attempt };
    this.#driverEvent(event);
    return event.eventId;
  }

  #driverEvent(event: DriverEvent): void {
    this.#append("driverEvents", event.driverId, event);
  }

  #base(driverId: string) {
    return { eventId: this.#eventId(), driverId, occurredAt: this.#now };
  }

  #eventId(): string {
    // Two shift changes of one driver never share a timestamp.
    this.#now++;
    return `e${++this.#events}`;
  }

  #replan(driver: Driver, present = true): void {
    driver.version++;
    const { driverId, version, capacity } = driver;
    const where = { cell: "c", fineCell: "f", position: { latitude: 0, longitude: 0 }, vehicle: "car", tags: [] } as const;
    const record = { driverId, driverVersion: version, present, capacity, shiftEndsAt: null, plan: [], jobs: [] };
    this.#append("matchingInput", "c", { type: "DriverPresent", at: this.#now, ...where, ...record });
  }

  /** The record just appended to a topic for this entity was refused. */
  #refuse(topic: "orders" | "rides" | "driverEvents" | "jobUpdates", entityId: string, reason: RefusalReason): void {
    const { partition, offset, value } = this.topics[topic].at(-1) ?? { partition: 0, offset: 0, value: undefined };
    const eventId = value !== undefined && "eventId" in value ? value.eventId : "";
    const entity = topic === "driverEvents" ? "driver" : "job";
    const where = { topic: topicNames[topic], partition, offset };
    const what = { eventId, eventType: value?.type ?? "", reason, at: this.#now, event: "" };
    this.#append("refusals", entityId, { type: "InputRefused", entity, entityId, ...what, ...where });
  }

  #job(jobId: string): Job {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new Error(`no job ${jobId}`);
    return job;
  }

  /** Two partitions by key; offsets leave a gap now and then, as markers of transactions do. */
  #append<Name extends keyof Topics>(name: Name, key: string, value: Topics[Name][number]["value"]): void {
    const partition = Number(key.slice(1) || 0) % 2;
    const lane = `${name}-${partition}`;
    const offset = this.#offsets.get(lane) ?? 0;
    this.#offsets.set(lane, offset + 1 + (offset % 3 === 2 ? 1 : 0));
    (this.topics[name] as ProofRecord<unknown>[]).push({ partition, offset, timestamp: this.#now, value });
  }
}
