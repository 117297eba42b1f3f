/** One tick of one cell: the zone's policy sees who waits and who looks free, and its matches become proposals. */
import type { DriverPresent, DriverRepositioned, JobsProposed, Point, ZonePolicy } from "#schemas";
import { isSkipped, refusalOf } from "./cell.ts";
import type { Cell, CellDecision, CellJob, CellMemory } from "./cell.ts";
import type { KnownDriver, Match, MatchingProblem, Move, OpenJob, Policy, TravelModel } from "./policy.ts";

/** A tick as one cell takes it. */
export interface CellTick {
  readonly type: "CellTick";
  /** The tick's timestamp: `now` of every decision. */
  readonly at: number;
  readonly zone: ZonePolicy;
  readonly policy: Policy;
  readonly travel: TravelModel;
  /** Narrows drivers to those around a point: growing rings of fine cells, nearest ring first. */
  nearby(drivers: readonly DriverAt[], point: Point, atLeast: number, passes?: (driver: KnownDriver) => boolean): readonly KnownDriver[];
  /** Dispatch cells that know of a driver in this fine cell. */
  cellsReached(fineCell: string): readonly string[];
}

export interface DriverAt {
  readonly known: KnownDriver;
  readonly fineCell: string;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Queued, due and matched with a driver that looks free: proposed. At most one proposal a driver. */
export function decideTick(cell: Cell, tick: CellTick): CellDecision {
  const waiting: OpenJob[] = [];
  const asked = new Set<string>();
  for (const job of cell.jobs.values()) {
    if (job.askedDriver !== null) asked.add(job.askedDriver);
    if (job.status === "queued" && job.notBefore <= tick.at) waiting.push(openJob(job, cell));
  }
  if (waiting.length === 0 || cell.drivers.size === 0) return { jobs: [], drivers: [], outputs: [] };
  waiting.push(...competing(cell, tick));
  waiting.sort((a, b) => a.content.readyAt - b.content.readyAt || compare(a.jobId, b.jobId));
  const drivers: DriverAt[] = [];
  for (const driver of cell.drivers.values()) drivers.push({ known: knownDriver(driver, asked), fineCell: driver.fineCell });
  drivers.sort((a, b) => compare(a.known.driverId, b.known.driverId));
  const { policy } = tick;
  const recalled = cell.memory?.policy === policy.name ? cell.memory.text : undefined;
  const problem: MatchingProblem = {
    now: tick.at,
    jobs: waiting,
    drivers: drivers.map((driver) => driver.known),
    nearby: (point, atLeast, passes) => tick.nearby(drivers, point, atLeast, passes),
    travel: tick.travel,
    parameters: tick.zone.parameters,
    seed: seedOf(cell.name, tick.at),
    ...(recalled === undefined ? {} : { memory: recalled }),
  };
  if (policy.matchRemembering === undefined) return { ...propose(cell, policy.match(problem), tick), ...remembering(cell, undefined) };
  const { matches, memory, moves = [] } = policy.matchRemembering(problem);
  const next = memory === undefined ? undefined : { policy: policy.name, text: memory };
  const decision = propose(cell, matches, tick);
  const busy = new Set([...asked, ...decision.outputs.map(({ driverId }) => driverId)]);
  return { ...decision, moves: repositioned(cell, moves, busy, tick), ...remembering(cell, next) };
}

/** No write where nothing is remembered, as before. */
function remembering(cell: Cell, next: CellMemory | undefined): Pick<CellDecision, "memory"> {
  if (next === undefined) return cell.memory === undefined ? {} : { memory: null };
  return next.text === cell.memory?.text && next.policy === cell.memory.policy ? {} : { memory: next };
}

/** FNV-1a over the cell's name and the time: the same on every machine. */
function seedOf(cell: string, at: number): number {
  let hash = 0x811c9dc5;
  for (const text of [cell, String(at)]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

function propose(cell: Cell, matches: readonly Match[], tick: CellTick): CellDecision {
  const jobs: [string, CellJob][] = [];
  const outputs: JobsProposed[] = [];
  const takenJobs = new Set<string>();
  const takenDrivers = new Set<string>();
  for (const match of matches) {
    // Safety does not rest on the policy: what it may not match is left in the queue.
    const driver = cell.drivers.get(match.driverId);
    if (driver === undefined || takenDrivers.has(match.driverId) || new Set(match.jobIds).size !== match.jobIds.length) continue;
    // What the plan gives to a job of another cell is that cell's to propose.
    const own = match.jobIds.filter((jobId) => !cell.nearby.has(jobId));
    const members = own.map((jobId) => cell.jobs.get(jobId));
    const fit = members.filter((job) => job !== undefined && !takenJobs.has(job.jobId) && mayAsk(job, driver, tick.at));
    if (fit.length === 0 || fit.length !== members.length) continue;
    const together = members.filter((job) => job !== undefined);
    // A bundle that he refused is asked job by job: then it shows which one he does not take.
    const entries = together.length > 1 && together.some((job) => refusalOf(job, driver)) ? together.slice(0, 1) : together;
    takenDrivers.add(match.driverId);
    for (const job of entries) {
      takenJobs.add(job.jobId);
      jobs.push([job.jobId, { ...job, status: "proposed", askedDriver: driver.driverId }]);
    }
    outputs.push(proposal(cell.name, driver, entries, match, tick));
  }
  return { jobs, drivers: [], outputs };
}

/** Who has work or is asked for some stays: again safety does not rest on the policy. */
function repositioned(cell: Cell, moves: readonly Move[], busy: Set<string>, tick: CellTick): DriverRepositioned[] {
  const records: DriverRepositioned[] = [];
  for (const { driverId, placeId, to, arrivesAt } of moves) {
    const driver = cell.drivers.get(driverId);
    if (driver === undefined || driver.jobs.length > 0 || busy.has(driverId)) continue;
    busy.add(driverId);
    const { driverVersion } = driver;
    const base = { type: "DriverRepositioned", driverId, cell: cell.name, driverVersion } as const;
    records.push({ ...base, placeId, to, arrivesAt: Math.round(arrivesAt), policy: tick.policy.name, at: tick.at });
  }
  return records;
}

function mayAsk(job: CellJob, driver: DriverPresent, now: number): boolean {
  return job.status === "queued" && job.notBefore <= now && !job.excludedDrivers.includes(driver.driverId) && !isSkipped(job, driver);
}

function proposal(cell: string, driver: DriverPresent, jobs: readonly CellJob[], match: Match, tick: CellTick): JobsProposed {
  return {
    type: "JobsProposed",
    driverId: driver.driverId,
    cell,
    proposalId: `${cell}/${tick.at}/${driver.driverId}`,
    driverVersion: driver.driverVersion,
    jobs: jobs.map(({ jobId, attempt, orderVersion, content }) => ({ jobId, attempt, orderVersion, content })),
    plan: match.plan,
    offerSeconds: tick.zone.offerSeconds,
    policy: tick.policy.name,
    slackMs: Math.round(match.slackMs),
    pickupEta: Math.round(match.pickupEta),
    at: tick.at,
  };
}

/**
 * Jobs of other cells that want drivers now, for the policy to plan with: their own cells decide alike, so a driver whom the
 * plan gives to one of them is better left to it. Drivers whom such a cell does not know cannot be meant.
 */
function competing(cell: Cell, tick: CellTick): OpenJob[] {
  const strangers = new Map<string, ReadonlySet<string>>();
  const present: { readonly driverId: string; readonly cells: readonly string[] }[] = [];
  const jobs: OpenJob[] = [];
  for (const { home, jobId, attempt, orderVersion, content, notBefore, excludedDrivers } of cell.nearby.values()) {
    if (notBefore > tick.at) continue;
    let unknown = strangers.get(home);
    if (unknown === undefined) {
      if (present.length === 0)
        for (const { driverId, fineCell } of cell.drivers.values()) present.push({ driverId, cells: tick.cellsReached(fineCell) });
      unknown = new Set(present.filter(({ cells }) => !cells.includes(home)).map(({ driverId }) => driverId));
      strangers.set(home, unknown);
    }
    const excluded = excludedDrivers.length === 0 ? unknown : new Set([...excludedDrivers, ...unknown]);
    jobs.push({ jobId, attempt, orderVersion, content, notBefore, excludedDrivers: excluded, skip: undefined });
  }
  return jobs;
}

/** Who refused it as he still is, is excluded for the policy until he changes. */
function openJob(job: CellJob, cell: Cell): OpenJob {
  const { jobId, attempt, orderVersion, content, notBefore, excludedDrivers } = job;
  const skips = job.skips.filter((seen) => !seen.bundled && cell.drivers.get(seen.driverId)?.driverVersion === seen.driverVersion);
  const none = excludedDrivers.length === 0 && skips.length === 0;
  const excluded = none ? NOBODY : new Set([...excludedDrivers, ...skips.map((seen) => seen.driverId)]);
  return { jobId, attempt, orderVersion, content, notBefore, excludedDrivers: excluded, skip: skips.at(-1) };
}

function knownDriver(driver: DriverPresent, asked: ReadonlySet<string>): KnownDriver {
  const { driverId, driverVersion, position, vehicle, tags, capacity, shiftEndsAt, plan, jobs } = driver;
  const busy = asked.has(driverId);
  return { driverId, driverVersion, position, vehicle, tags, capacity, shiftEndsAt, plan, jobs, toldAt: driver.at, asked: busy };
}

/** By UTF-16 units: the same on every machine, unlike a locale's order. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
