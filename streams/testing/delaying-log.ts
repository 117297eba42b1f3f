/**
 * A log whose commits are delayed, fail or stay unknown by plan, in virtual time: what a broker does on a bad day, for the
 * tests of the commit pipeline. Everything else is the log's below it.
 */
import { WriterLostError } from "#log";
import type {
  CommitRequest,
  Log,
  LogCapabilities,
  LogShare,
  Membership,
  MembershipOptions,
  Offsets,
  Producer,
  Reader,
  ReaderOptions,
  Topics,
  Writer,
  WriterOptions,
} from "#log";
import type { VirtualActor } from "../runtime/hosts/in-process-host.ts";
import type { CommitFate, CommitPlan } from "./commit-fate.ts";
import { DelayingWriter } from "./delaying-writer.ts";
import type { RawRecord } from "./recording-writer.ts";

export interface DelayingLogOptions {
  readonly plan: CommitPlan;
  /** True: the content is to blame, the commit is refused (`COMMIT_REFUSED`) and nothing is written. */
  readonly refuses?: (records: readonly RawRecord[], request: CommitRequest) => boolean;
  /** True: the nth writer (from 0) cannot be initialised (`LOG_UNAVAILABLE`). */
  readonly initializeFails?: (writer: number) => boolean;
  readonly now: () => number;
}

interface Scheduled {
  readonly at: number;
  readonly act: () => Promise<void> | void;
}

export class DelayingLog implements Log, VirtualActor {
  readonly name = "delaying";
  readonly capabilities: LogCapabilities;
  readonly topics: Topics;
  readonly offsets: Offsets;
  readonly #log: Log;
  readonly #options: DelayingLogOptions;
  readonly #scheduled: Scheduled[] = [];
  #commits = 0;
  #writers = 0;

  constructor(log: Log, options: DelayingLogOptions) {
    this.#log = log;
    this.#options = options;
    this.capabilities = log.capabilities;
    this.topics = log.topics;
    this.offsets = log.offsets;
  }

  /** Commits asked for so far. */
  get commits(): number {
    return this.#commits;
  }

  nextDueAt(): number {
    return Math.min(Infinity, ...this.#scheduled.map(({ at }) => at));
  }

  /** In the order of due times, then of scheduling. */
  async run(now: number): Promise<void> {
    for (;;) {
      const at = this.nextDueAt();
      if (at > now) return;
      const [due] = this.#scheduled.splice(
        this.#scheduled.findIndex((each) => each.at === at),
        1,
      );
      await due?.act();
    }
  }

  writer(options: WriterOptions): Writer {
    const number = this.#writers++;
    return new DelayingWriter({
      inner: this.#log.writer(options),
      probe: this.#log.writer({ ...options, transactionalId: `${options.transactionalId}-probe-${number}` }),
      initializeFails: this.#options.initializeFails?.(number) === true,
      commit: (records, request, write) => this.#commit(records, request, write),
    });
  }

  reader(options?: ReaderOptions): Reader {
    return this.#log.reader(options);
  }

  producer(): Producer {
    return this.#log.producer();
  }

  membership(options: MembershipOptions): Membership {
    return this.#log.membership(options);
  }

  version(): number {
    return this.#log.version();
  }

  changed(since: number): Promise<void> {
    return this.#log.changed(since);
  }

  maintain(now: number): Promise<void> {
    return this.#log.maintain(now);
  }

  share(): LogShare | undefined {
    return undefined;
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #commit(records: readonly RawRecord[], request: CommitRequest, write: () => Promise<void>): Promise<void> {
    if (this.#options.refuses?.(records, request) === true)
      return Promise.reject(new WriterLostError("COMMIT_REFUSED", "The plan refuses what is in this commit."));
    return this.#meetFate(this.#options.plan(this.#commits++), write);
  }

  async #meetFate({ kind, delayMs }: CommitFate, write: () => Promise<void>): Promise<void> {
    if (kind === "unknown-late") {
      // Nobody waits for it any more; most often it is fenced when it arrives.
      this.#scheduled.push({ at: this.#options.now() + delayMs, act: () => write().catch(() => {}) });
      throw unknown();
    }
    if (kind === "late-answer" || kind === "unknown-written") await write();
    if (delayMs > 0) await this.#delay(delayMs);
    if (kind === "commit") await write();
    if (kind === "failed") throw new WriterLostError("LOG_UNAVAILABLE", "The plan fails this commit.");
    if (kind === "unknown-written" || kind === "unknown-lost") throw unknown();
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduled.push({ at: this.#options.now() + ms, act: resolve });
    });
  }
}

function unknown(): WriterLostError {
  return new WriterLostError("COMMIT_UNKNOWN", "The plan loses the answer of this commit.");
}
