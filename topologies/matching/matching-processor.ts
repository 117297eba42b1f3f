/**
 * The `matching` task: its decisions are a pure function of one ordered partition. The wall clock enters only as a record
 * that the task writes to itself.
 */
import type { DriverPresent, JobNearby, JobOpened, MatchingInput, Ticked, ZonePolicy } from "#schemas";
import type { KeyValueDescriptor, KeyValueStore, PriorityQueueDescriptor } from "#state";
import type { Cancellable, Processor, ProcessorContext, ProcessorSupplier, StreamRecord } from "#streams";
import { TopologiesError } from "../errors.ts";
import type { Geography } from "../geography.ts";
import { dispatchSinks } from "../sinks.ts";
import type { DispatchSinks } from "../sinks.ts";
import type { DispatchTopics } from "../topics.ts";
import { ZoneStore } from "../zone-store.ts";
import type { ZoneEntry } from "../zones.ts";
import { CellIndex } from "./cell-index.ts";
import type { MatchingClock } from "./cell-index.ts";
import { decideCell } from "./cell-table.ts";
import type { Cell, CellJob, CellMemory } from "./cell.ts";
import { nearbyOf } from "./nearby.ts";
import type { Policy } from "./policy.ts";
import { isSampleDue, isSupply, rideSeen, sampled, surgeChanged, surgeRule } from "./surge.ts";
import type { CellSurge } from "./surge.ts";
import type { PresenceRow } from "./presence-index.ts";

export interface MatchingStores {
  readonly drivers: KeyValueDescriptor<string, DriverPresent>;
  readonly presence: KeyValueDescriptor<string, PresenceRow>;
  readonly queue: PriorityQueueDescriptor<CellJob>;
  readonly nearby: KeyValueDescriptor<string, JobNearby>;
  readonly clock: KeyValueDescriptor<string, MatchingClock>;
  readonly policies: KeyValueDescriptor<string, ZoneEntry>;
  readonly memories: KeyValueDescriptor<string, CellMemory>;
  /** By cell. */
  readonly surges: KeyValueDescriptor<string, CellSurge>;
}

type MatchingTopics = Pick<DispatchTopics, "matchingInput" | "driverCommands" | "jobUpdates">;

export interface MatchingSetup {
  readonly stores: MatchingStores;
  readonly topics: MatchingTopics;
  readonly geography: Geography;
  readonly fallback: ZonePolicy;
  readonly policies: Readonly<Record<string, Policy>>;
}

/** Key of the ticks. */
export const TICK_KEY = "tick";

export function matchingProcessor(setup: MatchingSetup): ProcessorSupplier<string, MatchingInput> {
  return (context) => new MatchingProcessor(context, setup);
}

class MatchingProcessor implements Processor<string, MatchingInput> {
  readonly #context: ProcessorContext<never, never>;
  readonly #setup: MatchingSetup;
  readonly #index: CellIndex;
  readonly #zoneStore: ZoneStore;
  readonly #sinks: DispatchSinks<MatchingTopics>;
  readonly #surges: KeyValueStore<string, CellSurge>;
  readonly #nearby: ReturnType<typeof nearbyOf>;
  #ticking: { readonly everyMs: number; readonly timer: Cancellable } | undefined;

  constructor(context: ProcessorContext<never, never>, setup: MatchingSetup) {
    const { stores, topics, geography, fallback } = setup;
    this.#context = context;
    this.#setup = setup;
    this.#index = new CellIndex({
      drivers: context.store(stores.drivers),
      presence: context.store(stores.presence),
      queue: context.store(stores.queue),
      nearby: context.store(stores.nearby),
      clock: context.store(stores.clock),
      memories: context.store(stores.memories),
    });
    this.#zoneStore = new ZoneStore(context.store(stores.policies), geography, fallback);
    this.#surges = context.store(stores.surges);
    this.#sinks = dispatchSinks(context, {
      matchingInput: topics.matchingInput,
      driverCommands: topics.driverCommands,
      jobUpdates: topics.jobUpdates,
    });
    this.#nearby = nearbyOf(geography);
    this.#keepTicking();
  }

  process({ value, timestamp }: StreamRecord<string, MatchingInput>): void {
    this.#index.begin();
    switch (value.type) {
      case "JobOpened":
        if (value.content.kind === "ride" && value.attempt === 1) this.#rideOpened(value);
        return this.#index.apply(value.cell, decideCell(this.#index.cell(value.cell), value));
      case "JobNearby":
      case "JobClosed":
      case "DriverPresent":
      case "ProposalRefused":
        return this.#index.apply(value.cell, decideCell(this.#index.cell(value.cell), value));
      case "Ticked":
        return this.#tick(value);
      case "PolicyChanged":
        this.#zoneStore.change(value.policy, timestamp);
        return this.#keepTicking();
      default:
        throw new TypeError(`no row for ${JSON.stringify(value satisfies never)}`);
    }
  }

  #tick({ at }: Ticked): void {
    const { zones } = this.#zoneStore;
    const clock = this.#index.clock;
    const everyMs = this.#everyMs();
    this.#index.setClock({ ...clock, tickOutstanding: false, lastTickAt: at });
    for (const name of this.#index.cellsDue(at)) {
      const zone = zones.policyOf(name);
      // A zone with longer ticks than the partition's takes those that begin a new span of its own.
      if (zone.tickMs > everyMs && Math.floor(at / zone.tickMs) === Math.floor(clock.lastTickAt / zone.tickMs)) continue;
      const cell = this.#index.cellForTick(name);
      this.#tellSurge(cell, at, zone);
      const travel = this.#setup.geography.travelModel(zone);
      const cellsReached = (fineCell: string): readonly string[] => zones.cellsReached(fineCell, at);
      const decision = decideCell(cell, {
        type: "CellTick",
        at,
        zone,
        policy: this.#policy(zone),
        travel,
        nearby: this.#nearby,
        cellsReached,
      });
      this.#index.apply(name, decision);
      for (const record of decision.outputs) this.#sinks.driverCommands.send(record.driverId, record, { timestamp: at });
      for (const record of decision.moves ?? []) this.#sinks.driverCommands.send(record.driverId, record, { timestamp: at });
    }
  }

  /** Said again with newer content, it is no further demand. */
  #rideOpened({ cell, jobId, at, content }: JobOpened): void {
    if (this.#index.cell(cell).jobs.has(jobId)) return;
    this.#surges.put(cell, rideSeen(this.#surges.get(cell), at, content.requirements));
  }

  /** Once a minute, where rides were asked for: a driver is supply of the cell in which he is, not of those that he reaches. */
  #tellSurge({ name, drivers }: Cell, at: number, { parameters }: ZonePolicy): void {
    const before = this.#surges.get(name);
    if (before === undefined || !isSampleDue(before, at)) return;
    const { geography } = this.#setup;
    const resolution = geography.resolutionOf(name);
    let free = 0;
    for (const driver of drivers.values()) {
      if (isSupply(driver, before) && geography.parentOf(driver.fineCell, resolution) === name) free++;
    }
    const { after, tell } = sampled(before, at, free, surgeRule(parameters));
    this.#surges.put(name, after);
    if (!tell) return;
    const sink = this.#sinks.jobUpdates;
    for (let partition = 0; partition < sink.partitions; partition++) {
      sink.send(name, surgeChanged(name, after, at), { timestamp: at, partition });
    }
  }

  #policy(zone: ZonePolicy): Policy {
    const policy = this.#setup.policies[zone.policy];
    if (policy !== undefined) return policy;
    const known = Object.keys(this.#setup.policies).join(", ");
    const message = `zone ${zone.zone} asks for the policy ${zone.policy}; there are ${known}. Deploy it, or publish another policy.`;
    throw new TopologiesError("POLICY_UNKNOWN", message);
  }

  /** The shortest tick of the zones. */
  #everyMs(): number {
    return Math.min(...this.#zoneStore.zones.policies.map((policy) => policy.tickMs));
  }

  /** The wall clock writes at most one tick that is not yet read, and none while no job is due. */
  #keepTicking(): void {
    const everyMs = this.#everyMs();
    if (this.#ticking?.everyMs === everyMs) return;
    this.#ticking?.timer.cancel();
    const timer = this.#context.punctuate({ name: "tick", clock: "wall", intervalMs: everyMs }, (at) => {
      const clock = this.#index.clock;
      if (clock.tickOutstanding || this.#index.nextDueAt() > at) return;
      this.#index.setClock({ ...clock, tickOutstanding: true });
      const ticked: Ticked = { type: "Ticked", at };
      this.#sinks.matchingInput.send(TICK_KEY, ticked, { timestamp: at, partition: this.#context.partition });
    });
    this.#ticking = { everyMs, timer };
  }
}
