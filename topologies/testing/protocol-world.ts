/**
 * The three tables connected by one FIFO channel per (sender, receiver), which interleave in every way. People, timers,
 * ticks and policies are free choices. D1 to D3 and the token are checked after each step; `rest` lets everything that must
 * happen happen, and checks that nobody waits for ever, no phantom is left, and every job ends.
 */
import type {
  AssignmentEvent,
  DriverCommand,
  DriverEvent,
  JobContent,
  JobReserved,
  JobUpdate,
  MatchingInput,
  PlannedJob,
  RefusalReason,
  TripChanged,
  TripState,
} from "#schemas";
import { isOver, unknownDriver } from "../drivers/driver.ts";
import type { DriverInput, DriverState } from "../drivers/driver.ts";
import { whyRefused } from "../drivers/plan.ts";
import { endedAt, hasEnded } from "../jobs/job.ts";
import type { Job, JobDecision, JobInput } from "../jobs/job.ts";
import type { CellInput } from "../matching/cell-table.ts";
import type { Cell } from "../matching/cell.ts";
import { cellAfter, contentSample, driverContext, emptyCell, jobContext, point, policySample, proposalSample } from "./samples.ts";
import { alone, checkNearby, matchesOf, soundTables } from "./protocol-tables.ts";
import type { Tables, WorldBounds } from "./protocol-tables.ts";
import { must } from "./violation.ts";

type Record_ = Exclude<DriverCommand | JobUpdate | MatchingInput, { type: "Ticked" | "PolicyChanged" | "SurgeChanged" }>;
type Step = () => void;
type Assignment = Pick<JobReserved, "driverId" | "attempt">;
const REST_STEPS_MAX = 3_000;

export class ProtocolWorld {
  readonly #tables: Tables;
  readonly #bounds: WorldBounds;
  readonly #drivers = new Map<string, DriverState>();
  readonly #jobs = new Map<string, Job | undefined>();
  readonly #cells = new Map<string, Cell>();
  /** `sender>receiver` → records under way. */
  readonly #channels = new Map<string, Record_[]>();
  /** What the assignments topic says: job → who has it now, and the last who was told. */
  readonly #shown = new Map<string, Assignment>();
  readonly #told = new Map<string, Assignment>();
  readonly #ends = new Map<string, TripState>();
  readonly #asked = new Map<string, number>();
  /** Driver → the version of his last reservation. */
  readonly #reserved = new Map<string, number>();
  /** Forgotten job → the time of its end. */
  readonly #forgotten = new Map<string, number>();
  readonly #policy = policySample();
  /** Assignments, trips and refusals, in the order of publication. */
  readonly published: (AssignmentEvent | TripChanged | { readonly type: "refused"; readonly reason: RefusalReason })[] = [];
  #rezoned = false;
  #now = 1_000;
  #eventIds = 0;

  constructor(bounds: WorldBounds, tables: Tables = soundTables) {
    this.#bounds = bounds;
    this.#tables = tables;
    for (let c = 0; c < bounds.cells; c++) this.#cells.set(`c${c}`, emptyCell(`c${c}`));
    for (let d = 0; d < bounds.drivers; d++) {
      const driverId = `d${d}`;
      this.#drivers.set(driverId, unknownDriver(driverId));
      this.startShift(driverId);
    }
    for (let j = 0; j < bounds.jobs; j++) this.#jobs.set(`j${j}`, undefined);
  }

  job(jobId: string): Job {
    const job = this.#jobs.get(jobId);
    must(job !== undefined, () => `no job ${jobId}`);
    return job;
  }

  cell(name: string): Cell {
    const cell = this.#cells.get(name);
    must(cell !== undefined, () => `no cell ${name}`);
    return cell;
  }

  /** Everything under way arrives, channel by channel, and what it brings about; ticks do not happen by themselves. */
  flush(except = ""): void {
    for (;;) {
      const next = [...this.#channels].find(([name, queue]) => queue.length > 0 && !(except !== "" && name.startsWith(except)));
      if (next === undefined) return this.#check();
      this.deliver(next[0]);
      this.#check();
    }
  }

  /** Takes one of the steps that may happen now, by number: mostly what goes on by itself, sometimes a whim, rarely an end. */
  step(choice: number): void {
    const { whims, ends } = this.#whims();
    const duties = this.#duties(true);
    const kind = choice % 64;
    const steps = kind === 0 ? ends : kind < 20 || duties.length === 0 ? whims : duties;
    const step = steps[Math.floor(choice / 64) % steps.length];
    if (step === undefined) return;
    this.#now += 1_000;
    step();
    this.#check();
  }

  /** Nobody has whims any more: all that must happen happens, first without deadlines, then with them. */
  rest(choose: (most: number) => number): void {
    for (const jobId of this.#jobs.keys()) if (this.#jobs.get(jobId) === undefined) this.place(jobId);
    this.#settle(choose);
    this.#checkSettled();
    for (const [jobId, job] of this.#jobs) {
      if (job !== undefined && !hasEnded(job.state)) this.toJob(jobId, { type: "DeadlineReached" });
    }
    this.#settle(choose);
    this.#checkSettled();
    for (const [jobId, job] of this.#jobs) {
      must(
        this.#forgotten.has(jobId) || (job !== undefined && hasEnded(job.state)),
        () => `job ${jobId} stays ${job?.state ?? "unknown"} for ever`,
      );
    }
    for (const driver of this.#drivers.values()) {
      must(driver.plan.holds.length === 0, () => `driver ${driver.driverId} keeps ${driver.plan.holds[0]?.jobId}`);
    }
  }

  #settle(choose: (most: number) => number): void {
    for (let taken = 0; ; taken++) {
      must(taken < REST_STEPS_MAX, () => "the world does not come to rest");
      const steps = this.#duties(false);
      const step = steps[choose(steps.length)];
      if (step === undefined) return;
      this.#now += 1_000;
      step();
      this.#check();
    }
  }

  // ---- what may happen

  /** Records under way, ticks, honest devices, drivers that come into new cells. */
  #duties(alsoRash: boolean): Step[] {
    const steps: Step[] = [];
    steps.push(...this.#deliveries((name) => !alsoRash || !this.#isSlow(name)));
    for (const cell of this.#cells.values()) for (const match of matchesOf(cell)) steps.push(() => this.tick(cell.name, match));
    for (const [driverId, driver] of this.#drivers) {
      for (const hold of driver.plan.holds) {
        // An honest device acts on what was published; silent it does nothing, off duty it only brings what is on board.
        const told = this.#told.get(hold.jobId);
        const knows = told?.driverId === driverId && told.attempt === hold.attempt;
        const acts = driver.plan.duty === "on" || (driver.plan.duty === "off" && hold.status === "pickedUp");
        if (!alsoRash && !(knows && acts)) continue;
        const types = { offered: ["JobAccepted"], held: ["PickedUp", "ArrivedAtPickup"], pickedUp: ["DroppedOff"] } as const;
        const possible: readonly ("JobAccepted" | "PickedUp" | "ArrivedAtPickup" | "DroppedOff")[] = types[hold.status];
        for (const type of possible) {
          if (type === "ArrivedAtPickup" && hold.arrived) continue;
          steps.push(() => this.device(driverId, { type, jobId: hold.jobId, attempt: hold.attempt }));
        }
      }
      if (this.#rezoned && driver.plan.duty === "on" && !driver.plan.cells.includes("c1")) {
        steps.push(() => this.move(driverId, ["c0", "c1"]));
      }
    }
    return steps;
  }

  /** What people and clocks do unasked. */
  #whims(): { readonly whims: Step[]; readonly ends: Step[] } {
    const whims: Step[] = this.#deliveries((name) => this.#isSlow(name));
    const ends: Step[] = [];
    for (const [jobId, job] of this.#jobs) {
      if (job === undefined) whims.push(() => this.place(jobId));
      else if (!hasEnded(job.state)) {
        const version = job.orderVersion + 1;
        whims.push(() => this.toJob(jobId, { type: "ReadyTimeChanged", eventId: this.#eventId(), version, readyAt: this.#now }));
        ends.push(() => this.toJob(jobId, { type: "DeadlineReached" }));
      } else whims.push(() => this.forgetJob(jobId));
      const cancel = { type: "Cancelled", version: 1, reason: "" } as const;
      ends.push(() => this.toJob(jobId, { ...cancel, eventId: this.#eventId(), occurredAt: this.#firstAskedAt(jobId) }));
    }
    for (const [driverId, driver] of this.#drivers) {
      for (const hold of driver.plan.holds) {
        const attempt = hold.attempt;
        whims.push(() => this.device(driverId, { type: "JobDeclined", jobId: hold.jobId, attempt }));
        // A device that is late or mistaken.
        whims.push(() => this.device(driverId, { type: "PickedUp", jobId: hold.jobId, attempt: attempt - 1 }));
        if (hold.offerUntil !== null) whims.push(() => this.toDriver(driverId, { type: "OfferTimeOver" }, hold.offerUntil ?? 0));
      }
      if (driver.plan.duty === "on") {
        whims.push(() => this.toDriver(driverId, { type: "LocationTtlOver" }));
        whims.push(() => this.toDriver(driverId, { type: "ShiftEnded", eventId: this.#eventId(), driverId, occurredAt: 0 }));
        if (!this.#bounds.rezone) {
          whims.push(
            () => this.move(driverId, [...this.#cells.keys()].slice(1)),
            () => this.move(driverId, ["c0"]),
          );
        }
      } else {
        whims.push(() => this.startShift(driverId));
        if (isOver(driver.plan)) whims.push(() => this.forgetDriver(driverId));
        if (driver.plan.duty === "silent") whims.push(() => this.move(driverId, this.#everywhere()));
      }
    }
    if (this.#bounds.rezone && !this.#rezoned) whims.push(() => this.rezone());
    return { whims, ends };
  }

  #deliveries(which: (channel: string) => boolean): Step[] {
    const steps: Step[] = [];
    for (const [name, queue] of this.#channels) if (queue.length > 0 && which(name)) steps.push(() => this.deliver(name));
    return steps;
  }

  #isSlow(channel: string): boolean {
    return `${channel[0]}>${channel[channel.indexOf(">") + 1]}` === this.#bounds.slow;
  }

  // ---- how it happens; also by hand, for a single story

  place(jobId: string): void {
    const j = Number(jobId.slice(1));
    const requirements = this.#bounds.veto && j === 0 ? ["special"] : [];
    // Jobs 0 and 1 share a counter, and so may share a bundle; each further pair another one.
    const place = Math.floor(j / 2) % this.#bounds.cells;
    const placedAt = this.#firstAskedAt(jobId);
    const content = contentSample({ pickup: point(place), dropOff: point(place), placeId: `r${place}`, requirements, placedAt });
    this.toJob(jobId, { type: "Placed", eventId: this.#eventId(), version: 1, content });
  }

  #firstAskedAt(jobId: string): number {
    const at = this.#asked.get(jobId) ?? this.#now;
    this.#asked.set(jobId, at);
    return at;
  }

  /** At any time after its end, even with records under way for it: worse than it can be. */
  forgetJob(jobId: string): void {
    this.#forgotten.set(jobId, endedAt(this.job(jobId), this.#now));
    this.#jobs.set(jobId, undefined);
  }

  forgetDriver(driverId: string): void {
    this.#drivers.set(driverId, this.#tables.stranger(driverId, this.driver(driverId).plan.version));
  }

  startShift(driverId: string): void {
    const special = this.#bounds.veto && driverId === `d${this.#bounds.drivers - 1}`;
    const base = { driverId, eventId: this.#eventId(), occurredAt: this.#now, position: point(0), vehicle: "car", endsAt: null } as const;
    this.toDriver(driverId, { type: "ShiftStarted", ...base, tags: special ? ["special"] : [], capacity: this.#bounds.capacity });
    this.move(driverId, this.#everywhere());
  }

  #everywhere(): readonly string[] {
    return this.#bounds.rezone && !this.#rezoned ? ["c0"] : [...this.#cells.keys()];
  }

  rezone(): void {
    this.#rezoned = true;
  }

  device(driverId: string, what: Pick<Extract<DriverEvent, { attempt: number }>, "type" | "jobId" | "attempt">): void {
    this.toDriver(driverId, { ...what, driverId, eventId: this.#eventId(), occurredAt: 0 });
  }

  move(driverId: string, cells: readonly string[]): void {
    const { whereabouts } = this.driver(driverId);
    const moved = { ...whereabouts, fineCell: `f:${cells.join(",")}`, recordedAt: this.#now };
    this.toDriver(driverId, { type: "LocationAccepted", whereabouts: moved });
  }

  tick(name: string, match: { readonly driverId: string; readonly jobIds: readonly string[] }): void {
    const zone = { ...this.#policy, offerSeconds: this.#bounds.offers ? 30 : 0 };
    const policy = { name: "walk", parameters: {}, match: () => [{ ...match, plan: [], slackMs: 0, pickupEta: 0 }] };
    this.#toCell(name, { type: "CellTick", at: this.#now + 1e9, zone, policy, ...alone });
  }

  deliver(channel: string): void {
    const record = this.#channels.get(channel)?.shift();
    const receiver = channel.slice(channel.indexOf(">") + 1);
    must(record !== undefined, () => `nothing in ${channel}`);
    switch (record.type) {
      case "JobsProposed":
      case "JobReleased":
      case "JobAmended":
      case "DriverRepositioned":
        return this.toDriver(receiver, record);
      case "JobReserved":
      case "JobDropped":
      case "JobProgressed":
        return this.toJob(receiver, record);
      case "JobOpened":
      case "JobNearby":
      case "JobClosed":
      case "DriverPresent":
      case "ProposalRefused":
        return this.#toCell(receiver, record);
      default:
        throw new Error(`unwired ${JSON.stringify(record satisfies never)}`);
    }
  }

  toDriver(driverId: string, input: DriverInput, at = this.#now): void {
    const before = this.driver(driverId);
    // The point of every stop lies in the driver's cells: moving is a choice of its own.
    const context = { ...driverContext({ at }), fineCellOf: () => before.whereabouts.fineCell };
    const decision = this.#tables.driver(before, input, context);
    this.#drivers.set(driverId, decision.state);
    if (input.type === "JobsProposed" && decision.state !== before) this.#checkVersion(driverId, decision.state.plan.version);
    for (const output of decision.outputs) {
      if (output.to === "cell") this.#send(driverId, output.record.cell, output.record);
      else if (output.to === "job") this.#send(driverId, output.record.jobId, output.record);
      else if (output.to === "refusals") this.published.push({ type: "refused", reason: output.reason });
    }
  }

  toJob(jobId: string, input: JobInput): void {
    const zoneOf = (pickup: JobContent["pickup"]) => {
      const home = this.#bounds.rezone ? (this.#rezoned ? 1 : 0) : Math.trunc(pickup.latitude);
      return { cell: `c${home}`, policy: this.#policy };
    };
    const context = jobContext({
      at: this.#now,
      forgottenUntil: this.#forgotten.get(jobId) ?? -1,
      zoneOf,
      cellsNear: () => [...this.#cells.keys()],
    });
    const decision = this.#tables.job(jobId, this.#jobs.get(jobId), input, context);
    this.#jobs.set(jobId, decision.job);
    for (const output of decision.outputs) {
      switch (output.to) {
        case "cell":
          this.#send(jobId, output.record.cell, output.record);
          break;
        case "driver":
          this.#send(jobId, output.record.driverId, output.record);
          break;
        case "assignments":
          this.published.push(output.record);
          this.#publish(jobId, output.record);
          break;
        case "trips":
          this.published.push(output.record);
          if (hasEnded(output.record.state)) {
            must(!this.#ends.has(jobId), () => `job ${jobId} ends twice (D3)`);
            this.#ends.set(jobId, output.record.state);
          } else must(!this.#ends.has(jobId), () => `job ${jobId} is ${output.record.state} after its end (D3)`);
          break;
        case "refusals":
          this.published.push({ type: "refused", reason: output.reason });
          break;
        default:
          throw new Error(`unwired ${JSON.stringify(output satisfies never)}`);
      }
    }
  }

  #publish(jobId: string, record: Extract<JobDecision["outputs"][number], { to: "assignments" }>["record"]): void {
    const shown = this.#shown.get(jobId);
    if (record.type === "AssignmentRevoked") {
      must(shown?.driverId === record.driverId, () => `job ${jobId} is taken from ${record.driverId}, who does not have it`);
      this.#shown.delete(jobId);
    }
    if (record.type === "DriverOffered" || record.type === "DriverAssigned") {
      const { driverId, attempt } = record;
      const same = shown === undefined || (shown.driverId === driverId && shown.attempt === attempt && record.type === "DriverAssigned");
      must(same, () => `job ${jobId} goes to ${driverId} while ${shown?.driverId} has it (D1)`);
      this.#shown.set(jobId, { driverId, attempt });
      this.#told.set(jobId, { driverId, attempt });
    }
  }

  #toCell(name: string, input: CellInput): void {
    const cell = this.cell(name);
    const decision = this.#tables.cell(cell, input);
    this.#cells.set(name, cellAfter(cell, decision));
    for (const record of decision.outputs) this.#send(name, record.driverId, record);
  }

  #send(sender: string, receiver: string, record: Record_): void {
    const name = `${sender}>${receiver}`;
    const queue = this.#channels.get(name);
    if (queue === undefined) this.#channels.set(name, [record]);
    else queue.push(record);
  }

  // ---- what must hold

  #check(): void {
    const tokens = new Map<string, number>();
    const plans = new Map<string, string>();
    const count = (jobId: string): void => void tokens.set(jobId, (tokens.get(jobId) ?? 0) + 1);
    for (const { driverId, plan } of this.#drivers.values()) {
      must(plan.holds.length <= plan.capacity, () => `driver ${driverId} carries ${plan.holds.length} jobs of ${plan.capacity} (D2)`);
      const places = new Set(plan.holds.map((hold) => hold.content.placeId));
      must(places.size <= 1, () => `driver ${driverId} carries jobs of two places (D2)`);
      for (const { jobId } of plan.holds) {
        must(!plans.has(jobId), () => `job ${jobId} is in the plans of ${driverId} and ${plans.get(jobId)} (D1)`);
        plans.set(jobId, driverId);
        count(jobId);
      }
    }
    for (const cell of this.#cells.values()) for (const job of cell.jobs.values()) if (job.status === "queued") count(job.jobId);
    for (const queue of this.#channels.values()) {
      for (const record of queue) {
        if (record.type === "JobsProposed" || record.type === "ProposalRefused") for (const job of record.jobs) count(job.jobId);
      }
    }
    for (const [jobId, number] of tokens) must(number < 2, () => `job ${jobId} has ${number} tokens`);
    if (this.#deliveries(() => true).length === 0) this.#checkQuiet();
  }

  /** By driverVersion a driver's intervals are disjoint (D2), in all his lives. */
  #checkVersion(driverId: string, version: number): void {
    const last = this.#reserved.get(driverId) ?? 0;
    must(version > last, () => `driver ${driverId} reserves at version ${version} after ${last} (D2)`);
    this.#reserved.set(driverId, version);
  }

  /** No record is under way: everybody knows the truth. */
  #checkQuiet(): void {
    for (const { driverId, plan } of this.#drivers.values()) {
      for (const hold of plan.holds) {
        const job = this.#jobs.get(hold.jobId);
        const mine = job !== undefined && !hasEnded(job.state) && job.driver?.driverId === driverId && job.attempt === hold.attempt;
        must(mine, () => `driver ${driverId} keeps a phantom: job ${hold.jobId} is ${job?.state}`);
        const newest = hold.orderVersion === job.orderVersion && hold.content === job.content;
        must(newest, () => `driver ${driverId} knows version ${hold.orderVersion} of ${hold.jobId}, newest is ${job.orderVersion}`);
      }
      for (const cell of this.#cells.values()) {
        const known = cell.drivers.get(driverId);
        const here = plan.duty === "on" && plan.cells.includes(cell.name);
        must(here === (known !== undefined), () => `cell ${cell.name} ${here ? "misses" : "still has"} driver ${driverId}`);
        must(!here || known?.driverVersion === plan.version, () => `cell ${cell.name} knows an old version of driver ${driverId}`);
      }
    }
    for (const [jobId, job] of this.#jobs) if (job !== undefined) this.#checkKept(jobId, job);
  }

  /** An open job is queued in its one cell; any other is in no cell, and in its driver's plan until it ends. */
  #checkKept(jobId: string, job: Job): void {
    const entries = [...this.#cells.values()].flatMap((cell) => cell.jobs.get(jobId) ?? []);
    if (job.state !== "open") {
      must(entries.length === 0, () => `job ${jobId} is ${job.state} and a cell still keeps it`);
      const holds = this.#drivers.get(job.driver?.driverId ?? "")?.plan.holds ?? [];
      const carried = hasEnded(job.state) || holds.some((hold) => hold.jobId === jobId);
      must(carried, () => `job ${jobId} is ${job.state} with ${job.driver?.driverId}, whose plan lacks it`);
      return;
    }
    const [entry] = entries;
    must(entry !== undefined, () => `job ${jobId} is open and its cell has forgotten it`);
    must(entries.length === 1, () => `job ${jobId} is in ${entries.length} cells`);
    must(entry.status === "queued", () => `job ${jobId} is open and its cell waits for an answer for ever`);
    must(entry.orderVersion === job.orderVersion, () => `the cell of job ${jobId} knows an old version of it`);
  }

  /** Nothing has to happen any more: nobody who could have the job is free. */
  #checkSettled(): void {
    for (const [jobId, job] of this.#jobs) {
      if (job === undefined || hasEnded(job.state)) continue;
      const duty = this.#drivers.get(job.driver?.driverId ?? "")?.plan.duty;
      const away = (job.state === "offered" || job.state === "assigned" || job.state === "atPickup") && duty !== "on";
      must(!away, () => `job ${jobId} is ${job.state} with ${job.driver?.driverId}, who is off duty`);
      if (job.state === "open") this.#checkNobodyFree(jobId, job);
    }
    for (const cell of this.#cells.values()) checkNearby(cell, this.#jobs);
  }

  #checkNobodyFree(jobId: string, job: Job): void {
    must(job.content !== null, () => `job ${jobId} has no content`);
    const planned: PlannedJob = { jobId, attempt: job.attempt, orderVersion: job.orderVersion, content: job.content };
    for (const { driverId, plan } of this.#drivers.values()) {
      // A changed resolution takes no driver away from the jobs of the old cells.
      const near = plan.cells.includes(job.cell) || (this.#bounds.rezone && plan.duty === "on");
      if (!near || job.excludedDrivers.includes(driverId)) continue;
      const proposal = { ...proposalSample({ driverVersion: plan.version }), jobs: [planned] };
      must(whyRefused(plan, proposal) !== undefined, () => `job ${jobId} is open, driver ${driverId} free, nothing happens`);
    }
  }

  driver(driverId: string): DriverState {
    const driver = this.#drivers.get(driverId);
    must(driver !== undefined, () => `no driver ${driverId}`);
    return driver;
  }

  #eventId(): string {
    return `e${++this.#eventIds}`;
  }
}
