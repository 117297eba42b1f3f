/** Where a stream begins: what is committed of a job, or of a cell, at this moment. */
import { PRESENCE_STORE, presenceRange, type PresenceRow } from "#topologies";
import type { CommittedView } from "#streams";
import type { DriverView } from "../queries/queries.ts";
import type { LocalQueries } from "../queries/local-queries.ts";
import type { CurrentTrip, LiveSnapshots } from "./tracking-hub.ts";

/** Drivers and jobs that the snapshot of a cell has at most: it is read in one go. */
const ROWS_MAX = 2_000;
const JOBS_MAX = 200;

interface LivePosition {
  readonly jobId: string;
  readonly driverId: string;
  readonly attempt: number;
  readonly position: DriverView["position"];
  readonly pickupEta: number | null;
  readonly dropOffEta: number | null;
  readonly at: number | null;
}

export interface LiveSnapshotsOptions {
  readonly view: CommittedView;
  readonly queries: Pick<LocalQueries, "driverNow" | "jobNow">;
  /** Of the matching input. */
  readonly partitions: number;
}

export function liveSnapshots({ view, queries, partitions }: LiveSnapshotsOptions): LiveSnapshots {
  const trip = (jobId: string): CurrentTrip | undefined => {
    const job = queries.jobNow(jobId);
    if (job === undefined) return undefined;
    const { state, attempt, jobVersion, driver } = job;
    return { state, attempt, jobVersion, driverId: driver?.driverId ?? null };
  };
  const positionOf = (jobId: string, current: CurrentTrip | undefined): LivePosition | null => {
    if (current?.driverId === undefined || current.driverId === null) return null;
    const driver = queries.driverNow(current.driverId);
    const held = driver?.jobs.find((job) => job.jobId === jobId && job.attempt === current.attempt && job.status !== "offered");
    if (driver === undefined || held === undefined) return null;
    const { driverId, position, recordedAt: at } = driver;
    return { jobId, driverId, attempt: held.attempt, position, pickupEta: held.pickupEta, dropOffEta: held.dropOffEta, at };
  };
  return {
    trip,
    ofJob(jobId) {
      const current = trip(jobId);
      return current === undefined ? undefined : { jobId, ...current, tracking: positionOf(jobId, current) };
    },
    ofCell(cell) {
      const jobs: LivePosition[] = [];
      const seen = new Set<string>();
      let complete = true;
      for (let partition = 0; partition < partitions; partition++) {
        const rows = view.range(PRESENCE_STORE, { partition, ...presenceRange(cell), limit: ROWS_MAX });
        if (rows.length >= ROWS_MAX) complete = false;
        for (const { value } of rows) {
          const { driverId, jobs: count } = value as PresenceRow; // the store holds nothing else
          if (count === 0 || seen.has(driverId)) continue;
          seen.add(driverId);
          for (const { jobId } of queries.driverNow(driverId)?.jobs ?? []) {
            if (jobs.length >= JOBS_MAX) return { cell, jobs, complete: false };
            const current = trip(jobId);
            const position = current?.driverId === driverId ? positionOf(jobId, current) : null;
            if (position !== null) jobs.push(position);
          }
        }
      }
      return { cell, jobs, complete };
    },
  };
}
