/** Counts: faults by kind, passages and deaths by named point, and one number that all events of a run make together. */
import type { Moment, RequestName } from "#log/kafka/simulated";

/** Everything that the commit path, an opening, a restore and a rebalance wait for. */
const WATCHED: readonly RequestName[] = [
  "initProducer",
  "addPartitions",
  "addOffsets",
  "commitOffsets",
  "produce",
  "endTransaction",
  "offsets",
  "listOffset",
  "fetch",
  "join",
  "sync",
  "heartbeat",
  "leave",
];
const MOMENTS: readonly Moment[] = ["before", "served", "answered"];

export type CrashPoint = `${RequestName}/${Moment}` | "rows/before" | "rows/after" | "closing";

export const CRASH_POINTS: readonly CrashPoint[] = [
  ...WATCHED.flatMap((request) => MOMENTS.map((moment): CrashPoint => `${request}/${moment}`)),
  "rows/before",
  "rows/after",
  "closing",
];

export interface SeedCounts {
  readonly faults: ReadonlyMap<string, number>;
  readonly crashes: ReadonlyMap<string, number>;
}

export class Hits {
  readonly faults = new Map<string, number>();
  /** Deaths at each point. */
  readonly crashes = new Map<string, number>();
  #hash = 0x811c9dc5;

  fault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }

  crash(point: CrashPoint): void {
    this.crashes.set(point, (this.crashes.get(point) ?? 0) + 1);
    this.fault("crash");
  }

  /** FNV-1a over whatever happens, in its order. */
  event(text: string): void {
    for (let at = 0; at < text.length; at++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193);
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  add(other: SeedCounts): void {
    for (const [name, count] of other.faults) this.faults.set(name, (this.faults.get(name) ?? 0) + count);
    for (const [name, count] of other.crashes) this.crashes.set(name, (this.crashes.get(name) ?? 0) + count);
  }
}
