/** One life of an instance: a thread with every task over a cluster and a disk, until it is idle or dies. */
import type { Disk } from "#disk";
import { WriterLostError, type Offsets } from "#log";
import type { Topology } from "../../dsl/builder.ts";
import type { CommittedFeed } from "../../query/committed-feed.ts";
import { splitTasks, type Assignment } from "../../runtime/assignment.ts";
import { silentLogger, STREAM_THREAD_DEFAULTS, turnOfLoop } from "../../runtime/defaults.ts";
import { createStreamThread, type AbandonableStreamThread } from "../../runtime/stream-thread.ts";
import type { MemoryCluster } from "./memory-cluster.ts";
import { memoryLog, type CommitPoint } from "./memory-log.ts";

/** Where a life ends; each is counted from 1 in that life. */
export type Death =
  | { readonly kind: "commit"; readonly point: CommitPoint; readonly nth: number }
  /** Before the nth batch is written to the database. */
  | { readonly kind: "disk"; readonly nth: number }
  | { readonly kind: "step"; readonly nth: number };

export interface Meanwhile {
  /** Its committed offsets are known, and the ends of its changelogs are not; or both are. */
  readonly when: "before ends" | "after ends";
  readonly happens: () => Promise<void>;
}

export interface LifeOptions {
  readonly cluster: MemoryCluster;
  readonly disk: Disk;
  readonly topology: Topology;
  readonly instanceId: string;
  readonly death?: Death | undefined;
  /** Markers of ended transactions are written only when nothing else can go on. */
  readonly lateMarkers?: boolean;
  /** The answer of the nth commit is lost there: nobody knows, and the life goes on. */
  readonly lost?: { readonly point: CommitPoint; readonly nth: number } | undefined;
  /** The first commit that comes to its end sleeps there until this resolves. */
  readonly sleep?: Promise<void>;
  readonly assignment?: Assignment;
  /** Over the same disk. */
  readonly feed?: CommittedFeed;
  readonly now?: number;
  /** Happens once, while it prepares. */
  readonly meanwhile?: Meanwhile;
}

const IDLE_STEPS = 6;
const STEPS_MAX = 20_000;

export class MortalInstance {
  readonly thread: AbandonableStreamThread;
  now: number;
  readonly #options: LifeOptions;
  readonly #points = new Map<CommitPoint, number>();
  #dead = false;
  #writes = 0;
  #steps = 0;
  #clock = 0;

  constructor(options: LifeOptions) {
    const { cluster, topology, instanceId, assignment, feed, now = 1_000 } = options;
    this.#options = options;
    this.now = now;
    const inner = memoryLog(cluster, { at: (point) => this.#reach(point), batchesPerPoll: 1 });
    const log = options.meanwhile === undefined ? inner : { ...inner, offsets: delayed(inner.offsets, options.meanwhile) };
    this.thread = createStreamThread({
      config: {
        ...STREAM_THREAD_DEFAULTS,
        applicationId: "app",
        instanceId,
        thread: 0,
        freeze: true,
        commitIntervalMs: 3,
        idleCommitMs: 0,
      },
      dependencies: {
        topology,
        log,
        disk: this.#mortal(options.disk),
        stepClock: () => (this.#clock += 4),
        logger: silentLogger,
        ...(feed === undefined ? {} : { rowFeed: { stores: feed.stores, tell: (message) => feed.hear(0, message) } }),
      },
      assignment: assignment ?? splitTasks(topology, 1)[0] ?? { generation: 0, tasks: [] },
    });
  }

  /** True when it died; else it has nothing to do any more, or `until` holds. */
  async live(until: () => boolean = () => false): Promise<boolean> {
    const { cluster, death, lateMarkers } = this.#options;
    for (let idle = 0; idle <= IDLE_STEPS && !until();) {
      if (this.#steps++ > STEPS_MAX) throw new Error("this life does not end");
      if (death?.kind === "step" && death.nth === this.#steps) this.#dead = true;
      const { worked, nextDueAt } = this.#dead ? { worked: false, nextDueAt: Infinity } : this.thread.step(this.now++);
      await turnOfLoop();
      if (this.#dead) {
        this.thread.abandon();
        return true;
      }
      if (this.thread.error !== undefined) throw this.thread.error;
      const retries = this.thread.state === "starting";
      if (retries && nextDueAt !== Infinity) this.now = Math.max(this.now, nextDueAt);
      idle = worked || retries ? 0 : idle + 1;
      if (lateMarkers !== true) cluster.settle();
      else if (idle === IDLE_STEPS - 2) cluster.expire();
    }
    return false;
  }

  #reach(point: CommitPoint): Promise<void> {
    const nth = (this.#points.get(point) ?? 0) + 1;
    this.#points.set(point, nth);
    const { death, lost } = this.#options;
    if (lost?.point === point && lost.nth === nth) return Promise.reject(new WriterLostError("COMMIT_UNKNOWN", "The answer is lost."));
    if (death?.kind === "commit" && death.point === point && death.nth === nth) this.#dead = true;
    if (this.#dead) return new Promise(() => {});
    return point === "ended" && nth === 1 ? (this.#options.sleep ?? Promise.resolve()) : Promise.resolve();
  }

  /** The same database, until the moment of death. */
  #mortal(disk: Disk): Disk {
    const write: Disk["write"] = (batch, options) => {
      const { death } = this.#options;
      if (death?.kind === "disk" && ++this.#writes === death.nth) this.#dead = true;
      if (this.#dead) throw new Error("dead before this was written");
      disk.write(batch, options);
    };
    return new Proxy(disk, {
      get: (target, name) => {
        if (name === "write") return write;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

function delayed(offsets: Offsets, { when, happens }: Meanwhile): Offsets {
  let happened: Promise<void> | undefined;
  return {
    ...offsets,
    bound: async (at, bound) => {
      if (when === "before ends") await (happened ??= happens());
      const found = await offsets.bound(at, bound);
      if (when === "after ends") await (happened ??= happens());
      return found;
    },
  };
}
