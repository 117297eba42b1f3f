/**
 * Tasks of a subtopology seldom divide evenly: who gets one more than the others, so that neither a single subtopology nor all of
 * them together are out of balance by more than one task, at the greatest gain. A flow of least cost by shortest augmenting paths.
 */

export interface ExtrasProblem {
  readonly members: number;
  /** Of each subtopology: tasks modulo members. */
  readonly extras: readonly number[];
  /** What it is worth that a member gets one of a subtopology's extras; ≥ 0. */
  readonly gain: (subtopology: number, member: number) => number;
}

/** `has(subtopology, member)`: at most one each. */
export function shareExtras({ members, extras, gain }: ExtrasProblem): (subtopology: number, member: number) => boolean {
  const total = extras.reduce((sum, count) => sum + count, 0);
  const each = Math.floor(total / members);
  const flow = new LeastCostFlow(extras.length + members + 3);
  const [source, sink, hub] = [extras.length + members, extras.length + members + 1, extras.length + members + 2];
  const edges: number[][] = [];
  extras.forEach((count, subtopology) => {
    flow.edge(source, subtopology, count, 0);
    edges.push(
      Array.from({ length: members }, (_, member) => flow.edge(subtopology, extras.length + member, 1, -gain(subtopology, member))),
    );
  });
  for (let member = 0; member < members; member++) {
    flow.edge(extras.length + member, sink, each, 0);
    flow.edge(extras.length + member, hub, 1, 0);
  }
  flow.edge(hub, sink, total - each * members, 0);
  flow.push(source, sink);
  return (subtopology, member) => flow.used(edges[subtopology]?.[member] ?? -1);
}

/** Edge 2k + 1 is the way back of edge 2k. */
class LeastCostFlow {
  readonly #from: number[][];
  readonly #to: number[] = [];
  readonly #room: number[] = [];
  readonly #cost: number[] = [];

  constructor(nodes: number) {
    this.#from = Array.from({ length: nodes }, () => []);
  }

  edge(from: number, to: number, room: number, cost: number): number {
    const edge = this.#to.length;
    this.#to.push(to, from);
    this.#room.push(room, 0);
    this.#cost.push(cost, -cost);
    this.#from[from]?.push(edge);
    this.#from[to]?.push(edge + 1);
    return edge;
  }

  used(edge: number): boolean {
    return (this.#room[edge + 1] ?? 0) > 0;
  }

  /** As much as there is room for. */
  push(source: number, sink: number): void {
    for (let path = this.#cheapest(source, sink); path !== undefined; path = this.#cheapest(source, sink)) {
      for (const edge of path) {
        this.#room[edge] = (this.#room[edge] ?? 0) - 1;
        this.#room[edge ^ 1] = (this.#room[edge ^ 1] ?? 0) + 1;
      }
    }
  }

  /** Edges of a cheapest path with room, by relaxation from a queue: costs may be negative, cycles never are. */
  #cheapest(source: number, sink: number): readonly number[] | undefined {
    const cost = new Float64Array(this.#from.length).fill(Infinity);
    const by = new Int32Array(this.#from.length).fill(-1);
    const queue = [source];
    const queued = new Set(queue);
    cost[source] = 0;
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      queued.delete(node);
      for (const edge of this.#from[node] ?? []) {
        const to = this.#to[edge] ?? 0;
        const costTo = (cost[node] ?? 0) + (this.#cost[edge] ?? 0);
        if ((this.#room[edge] ?? 0) === 0 || costTo >= (cost[to] ?? 0)) continue;
        cost[to] = costTo;
        by[to] = edge;
        if (queued.has(to)) continue;
        queued.add(to);
        queue.push(to);
      }
    }
    if (cost[sink] === Infinity) return undefined;
    const path: number[] = [];
    for (let node = sink; node !== source;) {
      const edge = by[node] ?? 0;
      path.push(edge);
      node = this.#to[edge ^ 1] ?? source;
    }
    return path;
  }
}
