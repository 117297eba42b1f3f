/** The `jobs` task: load, decide by the table, put, send, set the deadline. */
import type { JobContent, JobUpdate, OrderEvent, RideEvent, ZonePolicy } from "#schemas";
import type { KeyValueDescriptor, KeyValueStore, TimersDescriptor, TimerStore } from "#state";
import type { Processor, ProcessorContext, ProcessorSupplier, StreamRecord } from "#streams";
import { FORGET_CHECK_MS, ForgetList } from "../forget-list.ts";
import type { ForgetDescriptor } from "../forget-list.ts";
import type { Geography } from "../geography.ts";
import type { CellGeometry, ZoneEntry } from "../zones.ts";
import { refusal } from "../refusal.ts";
import type { Refused } from "../refusal.ts";
import { dispatchSinks } from "../sinks.ts";
import type { DispatchSinks } from "../sinks.ts";
import type { DispatchTopics } from "../topics.ts";
import { ZoneStore } from "../zone-store.ts";
import { decideJob } from "./job-table.ts";
import { endedAt, hasEnded } from "./job.ts";
import type { Job, JobInput } from "./job.ts";
import { requestOf } from "./request.ts";
import { quoteFor, Surges } from "./surges.ts";
import type { Quote, ToldSurge } from "./surges.ts";

export type JobsRecord = OrderEvent | RideEvent | JobUpdate;
type JobsTopics = Pick<DispatchTopics, "matchingInput" | "driverCommands" | "assignments" | "trips" | "refusals">;

export interface JobStores {
  readonly jobs: KeyValueDescriptor<string, Job>;
  readonly policies: KeyValueDescriptor<string, ZoneEntry>;
  readonly deadlines: TimersDescriptor;
  /** Ended jobs by the time of their end. */
  readonly ended: ForgetDescriptor;
  /** By dispatch cell. */
  readonly surges: KeyValueDescriptor<string, ToldSurge>;
}

export interface JobsSetup {
  readonly stores: JobStores;
  readonly topics: JobsTopics;
  readonly geometry: CellGeometry & Pick<Geography, "metresBetween" | "fineCellOf">;
  readonly fallback: ZonePolicy;
}

export function jobsProcessor(setup: JobsSetup): ProcessorSupplier<string, JobsRecord> {
  return (context) => new JobsProcessor(context, setup);
}

class JobsProcessor implements Processor<string, JobsRecord> {
  readonly #context: ProcessorContext<never, never>;
  readonly #jobs: KeyValueStore<string, Job>;
  readonly #deadlines: TimerStore;
  readonly #ended: ForgetList;
  readonly #zoneStore: ZoneStore;
  readonly #surges: Surges;
  readonly #sinks: DispatchSinks<JobsTopics>;
  readonly #geometry: JobsSetup["geometry"];

  constructor(context: ProcessorContext<never, never>, { stores, topics, geometry, fallback }: JobsSetup) {
    this.#context = context;
    this.#jobs = context.store(stores.jobs);
    this.#deadlines = context.store(stores.deadlines);
    this.#ended = new ForgetList(context.store(stores.ended));
    this.#zoneStore = new ZoneStore(context.store(stores.policies), geometry, fallback);
    this.#surges = new Surges(context.store(stores.surges));
    this.#geometry = geometry;
    this.#sinks = dispatchSinks(context, {
      matchingInput: topics.matchingInput,
      driverCommands: topics.driverCommands,
      assignments: topics.assignments,
      trips: topics.trips,
      refusals: topics.refusals,
    });
    context.onTimer(stores.deadlines, (jobId, at) => {
      const deadline: JobInput = { type: "DeadlineReached" };
      this.#decide(jobId, deadline, deadline, at);
    });
    context.punctuate({ name: "forget", clock: "stream", intervalMs: FORGET_CHECK_MS }, (now) => {
      this.#ended.check(now, (jobId) => {
        this.#jobs.delete(jobId);
        return true;
      });
    });
  }

  process({ key, value, timestamp }: StreamRecord<string, JobsRecord>): void {
    if (value.type === "PolicyChanged") this.#zoneStore.change(value.policy, timestamp);
    else if (value.type === "SurgeChanged") this.#surges.changed(value);
    else if (value.type === "JobReserved" || value.type === "JobDropped" || value.type === "JobProgressed") {
      this.#decide(key, value, value, timestamp);
    } else this.#decide(key, requestOf(value), value, timestamp);
  }

  #quote(content: JobContent, surgeMilli: number | undefined, at: number): Quote {
    const surge = surgeMilli ?? this.#surges.at(this.#zoneStore.zones.zoneOf(content.pickup).cell, at);
    return quoteFor(content, this.#geometry.metresBetween(content.pickup, content.dropOff), surge);
  }

  /** `event` is the input as it came, for a refusal. */
  #decide(jobId: string, input: JobInput, event: Refused["event"], at: number): void {
    const before = this.#jobs.get(jobId);
    const { zones } = this.#zoneStore;
    const forgottenUntil = before === undefined ? this.#ended.forgottenUntil : -1;
    const { job, outputs, deadlineAt } = decideJob(jobId, before, input, {
      at,
      forgottenUntil,
      zoneOf: (pickup) => zones.zoneOf(pickup),
      cellsNear: (pickup) => zones.cellsReached(this.#geometry.fineCellOf(pickup), at),
      quote: (content, surgeMilli) => this.#quote(content, surgeMilli, at),
    });
    if (job !== undefined && job !== before) this.#jobs.put(jobId, job);
    const hadEnded = before !== undefined && hasEnded(before.state);
    if (job !== undefined && hasEnded(job.state) && !hadEnded) this.#ended.add(jobId, endedAt(job, at));
    const armed = before !== undefined && !hadEnded ? before.deadlineAt : null;
    if (deadlineAt === null) {
      if (armed !== null) this.#deadlines.cancel(jobId);
    } else if (deadlineAt !== armed) this.#deadlines.set(jobId, deadlineAt);
    for (const output of outputs) {
      switch (output.to) {
        case "cell":
          this.#sinks.matchingInput.send(output.record.cell, output.record);
          break;
        case "driver":
          this.#sinks.driverCommands.send(output.record.driverId, output.record);
          break;
        case "assignments":
          this.#sinks.assignments.send(jobId, output.record);
          break;
        case "trips":
          this.#sinks.trips.send(jobId, output.record);
          break;
        case "refusals": {
          const record = refusal({ entity: "job", entityId: jobId, event, reason: output.reason, at }, this.#context.recordMetadata());
          this.#sinks.refusals.send(jobId, record);
          break;
        }
        default:
          throw new TypeError(`unwired ${JSON.stringify(output satisfies never)}`);
      }
    }
  }
}
