/** Bugs of the dispatch protocol, planted between a processor and its store. */
import type { KeyValueStore } from "#state";
import { partitionFor, type ProcessorContext, type StreamRecord, type Topology, type TopologyNode } from "#streams";
import type { DriverPlan } from "#topologies";
import { changed } from "./planted.ts";
import type { PlantedBug } from "./planted.ts";

const DRIVERS = "drivers";
const PLANS = "driver-plans";

type Node = Extract<TopologyNode, { kind: "processor" }>;
type Context = ProcessorContext<unknown, unknown>;

export const dispatchBugs: readonly PlantedBug[] = [
  {
    name: "a driver's lock is decided on the order's partition",
    needs: "dispatch",
    plant: () => ({ wrapTopology: (topology) => withProcessor(topology, DRIVERS, lockedByOrder) }),
  },
];

function withProcessor(topology: Topology, name: string, wrap: (node: Node, topology: Topology) => Node): Topology {
  const nodes = (all: readonly TopologyNode[]): readonly TopologyNode[] =>
    all.map((node) => (node.kind === "processor" && node.name === name ? wrap(node, topology) : node));
  return changed(topology, { subtopologies: topology.subtopologies.map((each) => ({ ...each, nodes: nodes(each.nodes) })) });
}

interface Proposal {
  readonly type: string;
  readonly driverVersion: number;
  readonly jobs: readonly { readonly jobId: string }[];
}

function lockedByOrder(node: Node, topology: Topology): Node {
  const orders = topology.subtopologies.flatMap(({ sources }) => sources).find(({ topic }) => topic.name.includes("orders"));
  const placeOf = (jobId: string): number => (orders === undefined ? 0 : partitionFor(orders.topic, jobId, Buffer.from(jobId)));
  const supplier: Node["supplier"] = (context: Context) => {
    let lock: OrderLock | undefined;
    const processor = node.supplier(
      changed(context, {
        store: (descriptor: { readonly name: string }) => {
          const store: unknown = context.store(descriptor as Parameters<Context["store"]>[0]);
          if (descriptor.name !== PLANS) return store;
          lock = new OrderLock(store as KeyValueStore<string, DriverPlan>, placeOf);
          return lock.store;
        },
      } as Partial<Context>),
    );
    return changed(processor, {
      process: (record: StreamRecord<unknown, unknown>) => {
        const value = record.value as Proposal;
        const proposal = value.type === "JobsProposed" ? value : undefined;
        if (lock === undefined) processor.process(record);
        else lock.during(proposal, () => processor.process(record));
      },
    });
  };
  return { ...node, supplier };
}

/** Plans in which, while a proposal is decided, what jobs of other partitions have of the driver is not seen. */
class OrderLock {
  readonly store: KeyValueStore<string, DriverPlan>;
  readonly #placeOf: (jobId: string) => number;
  #proposal: Proposal | undefined;

  constructor(plans: KeyValueStore<string, DriverPlan>, placeOf: (jobId: string) => number) {
    this.#placeOf = placeOf;
    this.store = changed(plans, {
      get: (driverId: string) => this.#seen(plans.get(driverId)),
      put: (driverId: string, plan: DriverPlan) => plans.put(driverId, this.#merged(plans.get(driverId), plan)),
    });
  }

  during(proposal: Proposal | undefined, act: () => void): void {
    this.#proposal = proposal;
    try {
      act();
    } finally {
      this.#proposal = undefined;
    }
  }

  #seen(plan: DriverPlan | undefined): DriverPlan | undefined {
    const others = new Set(this.#elsewhere(plan).map(({ jobId }) => jobId));
    if (this.#proposal === undefined || plan === undefined || others.size === 0) return plan;
    const holds = plan.holds.filter(({ jobId }) => !others.has(jobId));
    return { ...plan, version: this.#proposal.driverVersion, holds, stops: plan.stops.filter(({ jobId }) => !others.has(jobId)) };
  }

  #merged(before: DriverPlan | undefined, plan: DriverPlan): DriverPlan {
    const kept = this.#elsewhere(before).filter((hold) => !plan.holds.some(({ jobId }) => jobId === hold.jobId));
    if (kept.length === 0) return plan;
    return { ...plan, version: Math.max(plan.version, (before?.version ?? 0) + 1), holds: [...kept, ...plan.holds] };
  }

  #elsewhere(plan: DriverPlan | undefined): DriverPlan["holds"] {
    if (this.#proposal === undefined) return [];
    const place = this.#placeOf(this.#proposal.jobs[0]?.jobId ?? "");
    return plan?.holds.filter(({ jobId }) => this.#placeOf(jobId) !== place) ?? [];
  }
}
