/**
 * Commits of one thread, at most one in flight. While it is, tasks go on into their active overlays and the writer's open
 * builders; nothing of that is sealed before the one in flight is acknowledged.
 */
import assert from "node:assert/strict";
import type { Disk, VolumeReserve } from "#disk";
import type { OffsetCommit, RowWrite, Writer } from "#log";
import type { ChangelogWriter, TouchedChangelog } from "../changelog/changelog-writer.ts";
import type { LatencyHistogram } from "../metrics/latency-histogram.ts";
import type { RowFeedMessage, RowTap } from "../query/row-feed.ts";
import type { Task } from "../task/task.ts";
import { asError } from "./as-error.ts";
import type { StreamThreadConfig } from "./thread.ts";

export interface CommitCycleOptions {
  readonly config: StreamThreadConfig;
  readonly writer: Writer;
  readonly tasks: readonly Task[];
  readonly disk: Disk;
  /** Undefined where rows go with the commit; otherwise changes go to changelogs, and rows are written when it is acknowledged. */
  readonly changelogs: ChangelogWriter | undefined;
  /** With changelogs: room on the volume of the rows that is left alone. */
  readonly reserve?: VolumeReserve;
  readonly stepClock: () => number;
  readonly latency: LatencyHistogram;
  /** Tells of rows once they are in the database. */
  readonly tap: RowTap | undefined;
}

export type CommitOutcome =
  | { readonly committed: true; readonly units: number }
  /** `units`: how many were in the commit that failed. */
  | { readonly committed: false; readonly units: number; readonly error: Error };

interface InFlight {
  readonly tasks: readonly Task[];
  readonly rows: readonly RowWrite[];
  readonly offsets: readonly OffsetCommit[];
  readonly touched: readonly TouchedChangelog[];
  readonly told: RowFeedMessage | undefined;
  /** The thread's clock when it was sealed. */
  readonly sealedAt: number;
  readonly units: number;
  readonly startedAt: number;
  endedAt: number;
  settled: "no" | "committed" | "failed";
  error: Error | undefined;
}

export class CommitCycle {
  /** Units done since the last seal. */
  units = 0;
  readonly #options: CommitCycleOptions;
  #inFlight: InFlight | undefined;
  #settling: Promise<void> = Promise.resolve();
  #dirtySince = Infinity;
  #lastWorkAt = -Infinity;

  constructor(options: CommitCycleOptions) {
    this.#options = options;
  }

  get inFlight(): boolean {
    return this.#inFlight !== undefined;
  }

  /** The commit in flight still waits for its answer. */
  get waiting(): boolean {
    return this.#inFlight?.settled === "no";
  }

  /** Resolves when the commit in flight has its answer. */
  get settling(): Promise<void> {
    return this.#settling;
  }

  get dirty(): boolean {
    return this.#dirtySince !== Infinity;
  }

  worked(now: number, units: number): void {
    this.units += units;
    this.#lastWorkAt = now;
    if (this.#dirtySince === Infinity && this.#options.tasks.some(({ tookPart }) => tookPart)) this.#dirtySince = now;
  }

  /** Nothing more is taken while this much waits behind a commit in flight. */
  get full(): boolean {
    const { writer, tasks, config } = this.#options;
    let bytes = writer.bufferedBytes;
    for (const task of tasks) bytes += task.state.dirtyBytes;
    return bytes >= config.commitBytesMax;
  }

  /** `idle`: the buffers are empty. */
  due(now: number, idle: boolean): boolean {
    if (!this.dirty || this.inFlight) return false;
    const { commitIntervalMs, idleCommitMs } = this.#options.config;
    if (this.#options.tasks.some(({ retired }) => retired)) return true;
    return now - this.#dirtySince >= commitIntervalMs || (idle && now - this.#lastWorkAt >= idleCommitMs) || this.full;
  }

  nextDueAt(): number {
    if (!this.dirty || this.inFlight) return Infinity;
    if (this.#options.tasks.some(({ retired }) => retired)) return -Infinity;
    const { commitIntervalMs, idleCommitMs } = this.#options.config;
    return Math.min(this.#dirtySince + commitIntervalMs, this.#lastWorkAt + idleCommitMs);
  }

  /**
   * Seals every task that took part and sends it off. Nothing is in flight when it throws: SerdeError when a value does not encode,
   * `COMMIT_REFUSED` when a change does not fit its changelog, `DISK_FULL` when there is no room for its rows: what cannot be
   * followed by rows is not committed.
   */
  start(): void {
    assert(this.#inFlight === undefined, "at most one commit is in flight");
    const { writer, changelogs, stepClock, reserve, tap } = this.#options;
    const full = reserve?.missing(0);
    if (full !== undefined) throw full;
    const tasks = this.#options.tasks.filter(({ tookPart }) => tookPart);
    const offsets: OffsetCommit[] = [];
    const rows: RowWrite[] = [];
    const touched: TouchedChangelog[] = [];
    for (const task of tasks) {
      const sealed = task.seal();
      offsets.push(...sealed.offsets);
      const { rows: own } = sealed.state;
      for (let index = 0; index < own.length; index++) rows.push(own[index] as RowWrite); // in bounds
      if (changelogs !== undefined) touched.push(...changelogs.append(task.id.partition, sealed.state.changes));
    }
    const flight: InFlight = {
      tasks,
      rows: changelogs === undefined ? [] : rows,
      offsets,
      touched,
      told: tap?.sealed(rows, offsets),
      sealedAt: this.#lastWorkAt,
      units: this.units,
      startedAt: stepClock(),
      endedAt: 0,
      settled: "no",
      error: undefined,
    };
    this.#inFlight = flight;
    this.units = 0;
    this.#dirtySince = Infinity;
    const finish = (error: Error | undefined): void => {
      flight.endedAt = stepClock();
      flight.settled = error === undefined ? "committed" : "failed";
      flight.error = error;
    };
    this.#settling = writer.commit({ offsets, rows: changelogs === undefined ? rows : [] }).then(
      () => finish(undefined),
      (error: unknown) => finish(asError(error)),
    );
  }

  /** What became of the commit in flight, once, when its answer is there. A committed one has been acknowledged to the tasks. */
  takeOutcome(): CommitOutcome | undefined {
    const flight = this.#inFlight;
    if (flight === undefined || flight.settled === "no") return undefined;
    const { units, error } = flight;
    if (error !== undefined) return { committed: false, units, error };
    this.#writeRows(flight);
    if (flight.told !== undefined) this.#options.tap?.committed(flight.told);
    for (const task of flight.tasks) task.state.acknowledge();
    this.#inFlight = undefined;
    this.#options.latency.observe(flight.endedAt - flight.startedAt);
    return { committed: true, units };
  }

  /** Rows may lag what was committed, never lead it: only now, and without waiting for the disk. */
  #writeRows({ rows, touched, offsets, sealedAt }: InFlight): void {
    const { disk, changelogs } = this.#options;
    if (changelogs === undefined) return;
    const batch = disk.batch();
    for (let index = 0; index < rows.length; index++) {
      const { key, value } = rows[index] as RowWrite; // in bounds
      if (value === null) batch.delete("rows", key);
      else batch.put("rows", key, value);
    }
    changelogs.putPositions(batch, touched, offsets, sealedAt);
    disk.write(batch, { sync: false });
  }
}
