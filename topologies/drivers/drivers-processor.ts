/** The `drivers` task: load, decide by the table, put, send, set timers. */
import type { DriverCommand, DriverEvent, DriverLocation, RefusalReason, ZonePolicy } from "#schemas";
import type { KeyValueDescriptor, KeyValueStore, PriorityQueueDescriptor, TimersDescriptor, TimerStore } from "#state";
import type { Cancellable, Processor, ProcessorContext, ProcessorSupplier, StreamRecord } from "#streams";
import { FORGET_CHECK_MS, ForgetList } from "../forget-list.ts";
import type { ForgetDescriptor } from "../forget-list.ts";
import type { Geography } from "../geography.ts";
import { refusal } from "../refusal.ts";
import type { Refused } from "../refusal.ts";
import { dispatchSinks } from "../sinks.ts";
import type { DispatchSinks } from "../sinks.ts";
import type { DispatchTopics } from "../topics.ts";
import { ZoneStore } from "../zone-store.ts";
import type { ZoneEntry } from "../zones.ts";
import { decideDriver } from "./driver-table.ts";
import { isOver, unknownDriver } from "./driver.ts";
import type { DriverContext, DriverInput, DriverPlan, DriverState, DriverWhereabouts } from "./driver.ts";
import { checkLocation } from "./location-check.ts";
import type { LocationSettings } from "./location-check.ts";
import { nextOfferEnd } from "./plan.ts";
import { contains, filterOf, NO_HASHES, withOlder } from "./recent-locations.ts";
import { SILENCE_CHECK_MS, SilenceWatch } from "./silence-watch.ts";

export type DriversRecord = DriverLocation | DriverEvent | DriverCommand;

export interface OlderLocations {
  readonly hashes: Buffer;
}

export interface DriverStores {
  /** Hot: written by each accepted location. */
  readonly whereabouts: KeyValueDescriptor<string, DriverWhereabouts>;
  /** Hashes of event ids that no longer fit there. */
  readonly older: KeyValueDescriptor<string, OlderLocations>;
  readonly plans: KeyValueDescriptor<string, DriverPlan>;
  readonly policies: KeyValueDescriptor<string, ZoneEntry>;
  readonly silence: PriorityQueueDescriptor<string>;
  readonly offers: TimersDescriptor;
  /** Drivers off duty with an empty plan by the time at which that began, with their versions. */
  readonly over: ForgetDescriptor;
}

export interface DriversSetup {
  readonly stores: DriverStores;
  readonly topics: Pick<DispatchTopics, "matchingInput" | "jobUpdates" | "driverMoves" | "tracking" | "refusals">;
  readonly geography: Geography;
  readonly fallback: ZonePolicy;
}

export function driversProcessor(setup: DriversSetup): ProcessorSupplier<string, DriversRecord> {
  return (context) => new DriversProcessor(context, setup);
}

const STRANGER = unknownDriver("");

class DriversProcessor implements Processor<string, DriversRecord> {
  readonly #context: ProcessorContext<never, never>;
  readonly #geography: Geography;
  readonly #whereabouts: KeyValueStore<string, DriverWhereabouts>;
  readonly #older: KeyValueStore<string, OlderLocations>;
  readonly #plans: KeyValueStore<string, DriverPlan>;
  readonly #offers: TimerStore;
  readonly #over: ForgetList;
  readonly #zoneStore: ZoneStore;
  readonly #watch: SilenceWatch;
  readonly #sinks: DispatchSinks<DriversSetup["topics"]>;
  /** By zone; dropped when a policy changes. */
  readonly #settings = new Map<string, LocationSettings>();
  #checks: Cancellable | undefined;

  constructor(context: ProcessorContext<never, never>, setup: DriversSetup) {
    const { stores, topics, geography } = setup;
    this.#context = context;
    this.#geography = geography;
    this.#whereabouts = context.store(stores.whereabouts);
    this.#older = context.store(stores.older);
    this.#plans = context.store(stores.plans);
    this.#offers = context.store(stores.offers);
    this.#over = new ForgetList(context.store(stores.over));
    this.#zoneStore = new ZoneStore(context.store(stores.policies), geography, setup.fallback);
    this.#sinks = dispatchSinks(context, {
      matchingInput: topics.matchingInput,
      jobUpdates: topics.jobUpdates,
      driverMoves: topics.driverMoves,
      tracking: topics.tracking,
      refusals: topics.refusals,
    });
    this.#watch = new SilenceWatch(context.store(stores.silence), {
      whereabouts: (driverId) => this.#whereabouts.get(driverId),
      ttlMs: (whereabouts) => this.#settingsOf(whereabouts).locationTtlMs,
      streamTime: () => context.streamTime(),
      silent: (driverId, at) => this.#decide(driverId, { type: "LocationTtlOver" }, at),
    });
    context.onTimer(stores.offers, (driverId, at) => this.#decide(driverId, { type: "OfferTimeOver" }, at));
    context.punctuate({ name: "forget", clock: "stream", intervalMs: FORGET_CHECK_MS }, (now) =>
      this.#over.check(now, (driverId, version) => this.#forget(driverId, version)),
    );
    this.#keepWatch();
  }

  process(record: StreamRecord<string, DriversRecord>): void {
    const { key, value, timestamp } = record;
    this.#watch.heard();
    if (value.type === "DriverLocation") this.#locate(key, value, timestamp);
    else if (value.type === "PolicyChanged") this.#policyChanged(value.policy, timestamp);
    else this.#decide(key, value, timestamp);
  }

  /** The path of nearly every record: one read, one write, unless matching or a follower has to hear of it. */
  #locate(driverId: string, location: DriverLocation, at: number): void {
    const before = this.#whereabouts.get(driverId) ?? STRANGER.whereabouts;
    const checked = checkLocation(before, location, at, this.#settingsOf(before));
    if (typeof checked === "string") return this.#refuse(driverId, location, checked, at);
    const after = checked.newestAt === 0 ? this.#keepOlder(driverId, checked) : checked;
    const quiet = before.duty === "on" && !before.tracked;
    if (quiet && after.fineCell === before.fineCell && after.zoneEpoch === before.zoneEpoch) this.#whereabouts.put(driverId, after);
    else this.#decide(driverId, { type: "LocationAccepted", whereabouts: after }, at);
  }

  /** The newest hashes are full: from here on they are overwritten, so they go where the older ones are. */
  #keepOlder(driverId: string, whereabouts: DriverWhereabouts): DriverWhereabouts {
    const hashes = withOlder(this.#older.get(driverId)?.hashes ?? NO_HASHES, whereabouts.newest);
    this.#older.put(driverId, { hashes });
    return { ...whereabouts, older: filterOf(hashes) };
  }

  #decide(driverId: string, input: DriverInput, at: number): void {
    const before = this.#load(driverId);
    const { state, outputs, offerEndsAt } = decideDriver(before, input, this.#contextOf(before, at));
    if (state.whereabouts !== before.whereabouts) this.#whereabouts.put(driverId, state.whereabouts);
    if (state.plan !== before.plan) this.#planChanged(before, state, at);
    if (offerEndsAt === null) {
      if (nextOfferEnd(before.plan) !== null) this.#offers.cancel(driverId);
    } else if (this.#offers.at(driverId) !== offerEndsAt) this.#offers.set(driverId, offerEndsAt);
    if (state.plan.duty !== before.plan.duty) this.#dutyChanged(driverId, state);
    for (const output of outputs) {
      switch (output.to) {
        case "cell":
          this.#sinks.matchingInput.send(output.record.cell, output.record);
          break;
        case "job":
          this.#sinks.jobUpdates.send(output.record.jobId, output.record);
          break;
        case "moves":
          this.#sinks.driverMoves.send(output.record.driverId, output.record);
          break;
        case "tracking":
          this.#sinks.tracking.send(output.record.jobId, output.record);
          break;
        case "refusals":
          this.#refuse(driverId, input, output.reason, at);
          break;
        default:
          throw new TypeError(`unwired ${JSON.stringify(output satisfies never)}`);
      }
    }
  }

  #dutyChanged(driverId: string, { plan, whereabouts }: DriverState): void {
    if (plan.duty !== "on") return this.#watch.forget(driverId);
    this.#watch.watch(driverId, whereabouts);
    this.#keepWatch();
  }

  #planChanged({ driverId, plan: before }: DriverState, { plan }: DriverState, at: number): void {
    // One entry each time that it is over, of its first moment: whatever ends that time makes a new version.
    const noted = before.version === plan.version && isOver(before) && this.#plans.get(driverId) !== undefined;
    if (isOver(plan) && !noted) this.#over.add(driverId, at, plan.version);
    this.#plans.put(driverId, plan);
  }

  /** Unless he has been on duty since. */
  #forget(driverId: string, version: number): boolean {
    const plan = this.#plans.get(driverId);
    if (plan === undefined || plan.version !== version || !isOver(plan)) return false;
    this.#plans.delete(driverId);
    this.#whereabouts.delete(driverId);
    this.#older.delete(driverId);
    return true;
  }

  #policyChanged(policy: ZonePolicy, at: number): void {
    this.#zoneStore.change(policy, at);
    this.#settings.clear();
    // Where drivers could not fall silent before, nobody is watched yet.
    for (const [driverId, whereabouts] of this.#whereabouts.range())
      if (whereabouts.duty === "on") this.#watch.watch(driverId, whereabouts);
    this.#keepWatch();
  }

  /** The wall clock is asked for only while somebody is watched: a virtual day without a TTL has no such steps. */
  #keepWatch(): void {
    if (this.#checks !== undefined || this.#watch.size === 0) return;
    this.#checks = this.#context.punctuate({ name: "silence", clock: "wall", intervalMs: SILENCE_CHECK_MS }, (now) => {
      this.#watch.check(now);
      if (this.#watch.size > 0) return;
      this.#checks?.cancel();
      this.#checks = undefined;
    });
  }

  #load(driverId: string): DriverState {
    return {
      driverId,
      whereabouts: this.#whereabouts.get(driverId) ?? STRANGER.whereabouts,
      plan: this.#plans.get(driverId) ?? { ...STRANGER.plan, version: this.#over.markMax },
    };
  }

  #contextOf({ whereabouts }: DriverState, at: number): DriverContext {
    const { zones } = this.#zoneStore;
    const travel = this.#geography.travelModel(zones.policyAt(whereabouts.fineCell));
    return {
      at,
      zoneEpoch: zones.epoch,
      forgottenUntil: () => this.#over.forgottenUntil,
      fineCellOf: (point) => this.#geography.fineCellOf(point),
      cellsReached: (fineCell) => zones.cellsReached(fineCell, at),
      travelMs: (from, to, vehicle) => travel.travelMs(from, to, vehicle),
      serviceMs: travel.serviceMs,
    };
  }

  #settingsOf(whereabouts: DriverWhereabouts): LocationSettings {
    const { zones } = this.#zoneStore;
    const policy = zones.policyAt(whereabouts.fineCell);
    const known = this.#settings.get(policy.zone);
    if (known !== undefined) return known;
    const { locationTtlMs, throttleMs, speedMetresPerSecondMax } = policy;
    const geography = this.#geography;
    const settings: LocationSettings = {
      locationTtlMs,
      throttleMs,
      speedMetresPerSecondMax,
      zoneEpoch: zones.epoch,
      metresBetween: (a, b) => geography.metresBetween(a, b),
      surelyIn: (fineCell, point) => geography.surelyIn(fineCell, point),
      fineCellOf: (point) => geography.fineCellOf(point),
      isOlder: (driverId, hash) => contains(this.#older.get(driverId)?.hashes ?? NO_HASHES, hash),
    };
    this.#settings.set(policy.zone, settings);
    return settings;
  }

  #refuse(entityId: string, event: Refused["event"], reason: RefusalReason, at: number): void {
    this.#sinks.refusals.send(entityId, refusal({ entity: "driver", entityId, event, reason, at }, this.#context.recordMetadata()));
  }
}
