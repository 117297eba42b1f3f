/**
 * State is a fold of the log: what the stores hold is worked out again from the topics alone, without the topologies, and
 * compared. For a system at rest, drained or not: inputs count as far as the application has committed them.
 */
import type { DriverPresent, JobNearby, TripChanged } from "#schemas";
import type { Topic } from "#streams";
import type { CellJob, DriverPlan, Job } from "#topologies";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import type { System } from "../system/open-system.ts";
import { Comparison, type ComparisonVerdict } from "./comparison.ts";
import { readTopic } from "./read-topic.ts";

type FoldedSystem = Pick<System, "log" | "topics" | "view">;

const rowsMax = 10_000_000;

/** Jobs by trips, bills by billed jobs, plans by job updates and releases, cells by matching input, deadlines by open jobs. */
export async function checkStateFold(system: FoldedSystem): Promise<ComparisonVerdict> {
  const findings = new Comparison();
  const jobs = await compareJobs(system, findings);
  compareDeadlines(system, jobs, findings);
  await compareBilled(system, findings);
  await comparePlans(system, findings);
  await compareCells(system, findings);
  return findings.verdict();
}

const token = (jobId: string, attempt: number): string => `${jobId}/${attempt}`;
const driverText = ({ driverVersion, at, fineCell }: DriverPresent): string => `version ${driverVersion} at ${at} in ${fineCell}`;

/** Rows of a store, as its serde decodes them; `Value` is the type that the topology gave the store. */
function rowsOf<Value>({ view }: FoldedSystem, store: string): readonly (readonly [key: string, value: Value])[] {
  return view.range(store, { limit: rowsMax }).map(({ key, value }) => [String(key), value as Value] as const);
}

async function compareJobs(system: FoldedSystem, findings: Comparison): Promise<ReadonlyMap<string, TripChanged>> {
  const last = new Map<string, TripChanged>();
  for await (const { value } of readTopic(system.log, system.topics.trips)) last.set(value.jobId, value);
  const folded = new Map<string, string>();
  for (const [jobId, { state, attempt, jobVersion, content }] of last)
    folded.set(jobId, `${state} ${attempt} ${jobVersion} ${JSON.stringify(content)}`);
  const held = rowsOf<Job>(system, "jobs").map(
    ([key, { state, attempt, jobVersion, content }]) => [key, `${state} ${attempt} ${jobVersion} ${JSON.stringify(content)}`] as const,
  );
  findings.equal("jobs", folded, new Map(held));
  return last;
}

/** Exactly the jobs that have not ended have a deadline ahead. */
function compareDeadlines(system: FoldedSystem, jobs: ReadonlyMap<string, TripChanged>, findings: Comparison): void {
  const open = [...jobs.values()].filter(({ state }) => state !== "completed" && state !== "cancelled" && state !== "failed");
  findings.equal(
    "job-deadlines",
    new Map(open.map(({ jobId }) => [jobId, "armed"])),
    new Map(rowsOf(system, "job-deadlines").map(([key]) => [key, "armed"])),
  );
}

async function compareBilled(system: FoldedSystem, findings: Comparison): Promise<void> {
  const folded = new Map<string, string>();
  for await (const { value } of readTopic(system.log, system.topics.bills)) folded.set(value.jobId, String(value.at));
  findings.equal("billed", folded, new Map(rowsOf<number>(system, "billed").map(([key, at]) => [key, String(at)])));
}

/** The plan of a driver is the attempts that he took and neither gave back nor was told to let go. */
async function comparePlans(system: FoldedSystem, findings: Comparison): Promise<void> {
  const { log, topics } = system;
  const released = new Set<string>();
  for await (const { value } of committedInput(system, topics.driverCommands))
    if (value.type === "JobReleased") released.add(`${value.driverId} ${token(value.jobId, value.attempt)}`);
  const holds = new Map<string, string>();
  for await (const { value } of readTopic(log, topics.jobUpdates)) {
    if (value.type === "PolicyChanged" || value.type === "SurgeChanged") continue;
    const hold = `${value.driverId} ${token(value.jobId, value.attempt)}`;
    if (value.type === "JobReserved") holds.set(hold, value.offerUntil === null ? "held" : "offered");
    else if (value.type === "JobDropped" || value.step === "droppedOff") holds.delete(hold);
    else if (value.step === "pickedUp") holds.set(hold, "pickedUp");
    else if (value.step === "accepted") holds.set(hold, "held");
  }
  for (const hold of released) holds.delete(hold);
  const held = rowsOf<DriverPlan>(system, "driver-plans").flatMap(([driverId, plan]) =>
    plan.holds.map(({ jobId, attempt, status }) => [`${driverId} ${token(jobId, attempt)}`, status] as const),
  );
  findings.equal("driver-plans", holds, new Map(held));
}

/** What each cell knows: jobs opened and not closed, here and nearby, and the last word of each present driver. */
async function compareCells(system: FoldedSystem, findings: Comparison): Promise<void> {
  const jobs = new Map<string, string>();
  const nearby = new Map<string, string>();
  const drivers = new Map<string, string>();
  for await (const { value } of committedInput(system, system.topics.matchingInput)) {
    if (value.type === "JobOpened" || value.type === "JobNearby")
      (value.type === "JobOpened" ? jobs : nearby).set(`${value.cell}/${value.jobId}`, openText(value));
    else if (value.type === "JobClosed") for (const open of [jobs, nearby]) open.delete(`${value.cell}/${value.jobId}`);
    else if (value.type === "DriverPresent") {
      const key = `${value.cell}/${value.driverId}`;
      if (value.present) drivers.set(key, driverText(value));
      else drivers.delete(key);
    }
  }
  // A queue's row is its entry.
  const queued = rowsOf<{ readonly value: CellJob }>(system, "matching-queue");
  const held = queued.map(([key, { value }]) => [key, openText(value)] as const);
  findings.equal("matching-queue", jobs, new Map(held));
  const near = rowsOf<JobNearby>(system, "matching-nearby").map(([key, value]) => [key, openText(value)] as const);
  findings.equal("matching-nearby", nearby, new Map(near));
  const present = rowsOf<DriverPresent>(system, "matching-drivers").map(([key, value]) => [key, driverText(value)] as const);
  findings.equal("matching-drivers", drivers, new Map(present));
}

function openText({ attempt, orderVersion }: Pick<JobNearby, "attempt" | "orderVersion">): string {
  return `attempt ${attempt}, version ${orderVersion}`;
}

/** Records that the application has processed. */
async function* committedInput<V>({ log }: Pick<System, "log">, topic: Topic<string, V>): AsyncGenerator<{ readonly value: V }> {
  const positions = await committedPositions({ log }, topic.name);
  for await (const record of readTopic(log, topic)) if (record.offset < (positions[record.partition] ?? 0)) yield record;
}

/** By partition, the offset up to which the application has processed a topic. */
export async function committedPositions({ log }: Pick<System, "log">, topic: string): Promise<readonly number[]> {
  const config = await log.topics.describe(topic);
  const partitions = Array.from({ length: config?.partitions ?? 0 }, (_, partition) => ({ topic, partition }));
  const committed = await log.offsets.committed(APPLICATION_ID, partitions);
  return committed.map((position) => position?.offset ?? 0);
}
