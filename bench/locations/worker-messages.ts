/** What the bench and its worker tell each other. */
import type { DiskShare } from "#disk";
import type { WorkerLog } from "#streams";
import type { DispatchEntryOptions } from "#topologies";
import type { SelfTime } from "./cpu-profile.ts";

export const APPLICATION_ID = "bench-locations";

export interface WorkerOrder {
  readonly disk: DiskShare;
  readonly log: WorkerLog;
  readonly topology: DispatchEntryOptions;
  /** Records after which it is done. */
  readonly records: number;
  /** Where a CPU profile goes, if one is wanted. */
  readonly profile: string | undefined;
}

export interface WorkerReport {
  /** First poll → last commit. */
  readonly ms: number;
  /** Records and ms in the second half, when the code is compiled and the state is in memory. */
  readonly laterRate: number;
  /** Of the fastest tenth: what the machine has when nobody else wants it. */
  readonly bestRate: number;
  readonly commits: number;
  /** Commits that failed and were done again. */
  readonly aborts: number;
  readonly sent: number;
  /** Of this thread in the same time. */
  readonly cpuMs: number;
  /** Of the whole process, with the database's threads. */
  readonly processCpuMs: number;
  /** Mean of a commit, sealing not counted. */
  readonly commitMs: number;
  readonly profile: readonly SelfTime[] | undefined;
}
