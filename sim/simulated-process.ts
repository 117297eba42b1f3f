/** One instance of the application: opens its log, runs its stream thread, dies, and is started again as an orchestrator would. */
import { AssertionError } from "node:assert";
import { memoryDisk, type Disk } from "#disk";
import type { Log } from "#log";
import type { KafkaWire, SimulatedCluster, VirtualScheduler } from "#log/kafka/simulated";
import { createGroupThread, createStreamThread, silentLogger, STREAM_THREAD_DEFAULTS } from "#streams";
import type { AbandonableStreamThread, Assignment, TaskId, Topology } from "#streams";
import type { SimulatedApplication } from "./application.ts";
import type { SeedOptions } from "./faults/fault-plan.ts";
import type { CrashPoint } from "./faults/hits.ts";
import { mortalDisk } from "./faults/mortal-disk.ts";
import { ProcessTime } from "./process-time.ts";

/** The second one sees what promises did after the first. */
const IDLE_STEPS = 2;
const NOTHING: readonly TaskId[] = [];
const SESSION_MS = 6_000;
const TRANSACTION_MS = 4_000;

export interface ProcessOptions {
  readonly instance: number;
  /** Of two with one instance the later; part of its names towards brokers only. */
  readonly life: number;
  readonly cluster: SimulatedCluster;
  readonly scheduler: VirtualScheduler;
  readonly application: SimulatedApplication;
  readonly assignment: Assignment;
  readonly options: SeedOptions;
  /** What an earlier life left. */
  readonly rows: Disk;
  readonly survives: (point: CrashPoint, client: string) => boolean;
  readonly wrapTopology?: (topology: Topology) => Topology;
  readonly wrapWire?: (wire: KafkaWire) => KafkaWire;
  readonly wrapDisk?: (disk: Disk, instance: number) => Disk;
  readonly wrapLog?: (log: Log) => Log;
  readonly answersEarly?: boolean;
}

export class SimulatedProcess {
  readonly client: string;
  readonly time: ProcessTime;
  readonly rows: Disk;
  readonly #options: ProcessOptions;
  #log: Log | undefined;
  #thread: AbandonableStreamThread | undefined;
  #error: unknown;
  #closing = false;
  #closed = false;
  #status: readonly TaskId[] = NOTHING;
  #assigned: readonly TaskId[] = NOTHING;

  constructor(options: ProcessOptions) {
    const { instance, life, scheduler, rows } = options;
    this.#options = options;
    this.client = `instance-${instance}-${life}`;
    this.time = new ProcessTime(scheduler, options.options.seed * 31 + instance * 1009 + life);
    this.rows = rows;
  }

  /** From here on it does something, and may die. */
  begin(): void {
    this.#open().catch((error: unknown) => {
      this.#error = error;
    });
  }

  /** It ended of itself, for good or ill; whoever runs it starts another one. */
  get ended(): boolean {
    return this.#closed || this.#error !== undefined || this.#thread?.state === "failed";
  }

  /** It stopped as it was asked to, and has nothing open. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What ended it, if it was not asked to. */
  get error(): unknown {
    return this.#error ?? this.#thread?.error;
  }

  /** Something that no fault excuses. */
  get bug(): string | undefined {
    const error = this.error;
    for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++)
      if (each instanceof AssertionError || each instanceof TypeError || each instanceof RangeError || each instanceof ReferenceError)
        return each.stack;
    return undefined;
  }

  /** Tasks that it answers for. */
  get running(): readonly TaskId[] {
    const { group } = this.#options.options;
    if (this.#closing || this.ended) return NOTHING;
    return group === undefined ? this.#assigned : this.#status;
  }

  get thread(): AbandonableStreamThread | undefined {
    return this.#thread;
  }

  get waitsFor(): number {
    if (this.time.still || this.#thread === undefined || this.#closing) return Infinity;
    return this.#dueAt;
  }

  #dueAt = -Infinity;
  #steppedAt = -Infinity;
  #happened = 0;
  #idleSteps = 0;

  /** False when it was not stepped: a thread that had nothing to do twice in a row has none until something happens or is due. */
  step(): boolean {
    if (this.time.still || this.#thread === undefined || this.#closing || this.ended) return false;
    const trueNow = this.#options.scheduler.now();
    const news = this.time.happened !== this.#happened || (this.#dueAt <= trueNow && this.#steppedAt < trueNow);
    if (news) this.#idleSteps = 0;
    else if (this.#idleSteps >= IDLE_STEPS) return false;
    this.#happened = this.time.happened;
    this.#steppedAt = trueNow;
    const { worked, nextDueAt } = this.#thread.step(this.time.now());
    this.#dueAt = nextDueAt - this.time.skewMs;
    this.#idleSteps = worked ? 0 : this.#idleSteps + 1;
    const { tasks } = this.#thread;
    if (tasks.length !== this.#assigned.length) this.#assigned = tasks.map(({ id }) => id);
    return true;
  }

  /** As an orchestrator stops it. */
  stop(): void {
    if (this.#closing || this.time.dead || this.#thread === undefined) return;
    this.#closing = true;
    const end = async (): Promise<void> => {
      await this.#thread?.stop();
      if (!this.#options.survives("closing", this.client)) return;
      await this.#log?.close();
      this.#closed = true;
    };
    end().catch((error: unknown) => {
      this.#error = error;
    });
  }

  async #open(): Promise<void> {
    const { cluster, options, survives, instance, application, assignment, wrapTopology, wrapWire, wrapDisk, wrapLog } = this.#options;
    const opened = await cluster.open({
      clientId: this.client,
      surroundings: this.time,
      transactionMsMax: TRANSACTION_MS,
      sessionMsMax: SESSION_MS,
      rebalanceMsMax: SESSION_MS,
      heartbeatMs: 1_000,
      ...(wrapWire === undefined ? {} : { wrapWire }),
    });
    this.#log = wrapLog?.(opened) ?? opened;
    const mortal = mortalDisk(this.rows, { passes: (point) => !this.time.dead && survives(point, this.client) && !this.time.dead });
    const disk = wrapDisk?.(mortal, instance) ?? mortal;
    const config = {
      ...STREAM_THREAD_DEFAULTS,
      applicationId: application.id,
      instanceId: `instance-${instance}`,
      thread: 0,
      commitIntervalMs: options.commitIntervalMs,
      idleCommitMs: options.commitIntervalMs / 2,
      // The clock of a process is one of its faults; what it refuses depends on it.
      timestampLeadMsMax: 365 * 24 * 3_600_000,
      failureRatioMax: 1,
      freeze: true,
    };
    const topology = wrapTopology?.(application.topology) ?? application.topology;
    const dependencies = { topology, log: this.#log, disk, stepClock: () => 0, logger: silentLogger };
    const { group: settings } = options;
    this.#thread =
      settings === undefined
        ? createStreamThread({ config, dependencies, assignment })
        : createGroupThread({
            config,
            dependencies,
            group: { assignor: settings },
            onStatus: ({ running, restoring }) => {
              this.#status = this.#options.answersEarly === true ? [...running, ...restoring] : running;
            },
          });
  }
}

export function freshRows(): Disk {
  return memoryDisk();
}
