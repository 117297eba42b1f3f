/** A stream thread in a worker, as the main thread sees it. The death of the worker is the end of the thread, never of the process. */
import { Worker } from "node:worker_threads";
import type { GroupStatus } from "../../assignment/group-thread.ts";
import { TaskRebuildError } from "../../errors.ts";
import { WORKER_RESOURCE_LIMITS } from "../defaults.ts";
import { NO_METRICS, type HostedThread } from "./hosted-thread.ts";
import type { RowFeedMessage } from "../../query/row-feed.ts";
import type { StreamThreadState, StructuredLogger, ThreadMetrics } from "../thread.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-messages.ts";

export interface WorkerHostOptions {
  readonly start: WorkerStart;
  readonly logger: StructuredLogger;
  readonly onStatus: (status: GroupStatus) => void;
  readonly onRows?: (message: RowFeedMessage) => void;
}

/** Starts at once. What the dead worker held of log and database is taken back by them: they watch workers' exits. */
export class WorkerHost implements HostedThread {
  readonly thread: number;
  readonly ended: Promise<Error | undefined>;
  readonly running: Promise<void>;
  readonly #worker: Worker;
  readonly #logger: StructuredLogger;
  readonly #onStatus: (status: GroupStatus) => void;
  readonly #onRows: ((message: RowFeedMessage) => void) | undefined;
  #state: StreamThreadState = "starting";
  #metrics: ThreadMetrics = NO_METRICS;
  #asked: ((metrics: ThreadMetrics) => void)[] = [];
  #error: Error | undefined;
  #over = false;
  #said = false;
  #runs: () => void = () => {};

  constructor({ start, logger, onStatus, onRows }: WorkerHostOptions) {
    this.thread = start.config.thread;
    this.#logger = logger;
    this.#onStatus = onStatus;
    this.#onRows = onRows;
    this.#worker = new Worker(new URL("./worker-main.ts", import.meta.url), {
      workerData: start,
      resourceLimits: WORKER_RESOURCE_LIMITS,
      name: `${start.config.applicationId}-${start.config.thread}`,
    });
    this.#worker.on("message", (message: FromWorker) => this.#hear(message));
    this.#worker.on("error", (error: unknown) => {
      this.#error ??= error instanceof Error ? error : new Error(String(error));
    });
    this.running = new Promise((resolve) => {
      this.#runs = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#worker.once("exit", (code) => resolve(this.#exited(code)));
    });
  }

  get state(): StreamThreadState {
    return this.#state;
  }

  metrics(): Promise<ThreadMetrics> {
    if (this.#over) return Promise.resolve(this.#metrics);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      if (this.#asked.length === 1) this.#tell({ kind: "metrics" });
    });
  }

  stop(): void {
    this.#tell({ kind: "stop" });
  }

  abandon(): void {
    void this.#worker.terminate();
  }

  setPaused(paused: boolean): void {
    this.#tell({ kind: "pause", paused });
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "log":
        this.#logger[message.level](message.fields, message.message);
        break;
      case "metrics":
        this.#metrics = message.metrics;
        this.#answer();
        break;
      case "rows":
        this.#onRows?.(message.message);
        break;
      case "status":
        this.#onStatus(message.status);
        break;
      case "state":
        this.#state = message.state;
        if (message.state === "running") this.#runs();
        break;
      case "ended":
        this.#said = true;
        if (message.error !== undefined) this.#error ??= Object.assign(new Error(message.error.message), message.error);
        break;
    }
  }

  #answer(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const resolve of asked) resolve(this.#metrics);
  }

  #exited(code: number): Error | undefined {
    this.#over = true;
    this.#answer();
    this.#runs();
    if (!this.#said && this.#error === undefined)
      this.#error = new TaskRebuildError("TASK_FAILED", `The worker of thread ${this.thread} ended with code ${code} without a word.`);
    this.#state = this.#error === undefined ? "stopped" : "failed";
    return this.#error;
  }
}
