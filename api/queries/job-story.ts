/** Everything that was written about one job, read from the topics: its trips, assignments, refusals and bill, and why each driver. */
import type { Log, RecordBatchCursor } from "#log";
import { encodeKey, partitionFor, type Topic } from "#streams";
import type { DispatchTopics, Job } from "#topologies";
import type { AssignmentEvent, DriverCommand, InputRefused } from "#schemas";
import type { JobStory, Told, Why } from "./queries.ts";
import { readRecords, type ReadBudget } from "./read-records.ts";

/** Records may be a little older than the job says it is: clocks of those who placed it differ. */
const CLOCK_SLACK_MS = 10 * 60_000;
/** What comes after the deadline is refused, and still told. */
const AFTER_DEADLINE_MS = 60 * 60_000;
const BYTES_MAX = 64 * 1024 * 1024;
const READ_MS_MAX = 1_500;
/** Proposals looked up for one answer. */
const PROPOSALS_MAX = 10;
/** A proposal is written when its tick is processed: its record is so near to the tick's time. */
const PROPOSAL_SPAN_MS = 60_000;

type StoryTopics = Pick<DispatchTopics, "trips" | "assignments" | "refusals" | "bills" | "driverCommands">;

export async function storyOf(log: Log, topics: StoryTopics, job: Job): Promise<JobStory> {
  const budget: ReadBudget = { bytesLeft: BYTES_MAX, until: performance.now() + READ_MS_MAX };
  const since = job.content === null ? 0 : Math.max(0, job.content.placedAt - CLOCK_SLACK_MS);
  const until = job.content === null ? Infinity : job.deadlineAt + AFTER_DEADLINE_MS;
  let complete = true;
  const told = async <V>(topic: Topic<string, V>): Promise<Told<V>[]> => {
    const key = encodeKey(topic.key, job.jobId);
    const partition = partitionFor(topic, job.jobId, key);
    const found: Told<V>[] = [];
    const each = (cursor: RecordBatchCursor): void => {
      found.push(toldAt(cursor, topic, partition));
    };
    complete = (await readRecords(log, { topic: topic.name, partition, since, until, key, each }, budget)) && complete;
    return found;
  };
  const trips = await told(topics.trips);
  const assignments = await told(topics.assignments);
  const refusals = await told(topics.refusals);
  const bills = await told(topics.bills);
  const proposals: Told<Why>[] = [];
  for (const { event } of assignments.filter(({ event }) => isDecision(event)).slice(-PROPOSALS_MAX)) {
    const why = await proposalOf(log, topics, event, budget);
    if (why === undefined) complete = false;
    else if (!proposals.some((known) => known.event.proposalId === why.event.proposalId)) proposals.push(why);
  }
  return {
    trips,
    assignments,
    proposals,
    // What was refused is the sender's own text: whoever asks for the job need not see it.
    refusals: refusals.filter(({ event }) => event.entity === "job").map((told) => ({ ...told, event: withoutText(told.event) })),
    bill: bills.at(-1) ?? null,
    complete: complete && (trips[0]?.event.jobVersion ?? 1) === 1,
  };
}

function withoutText({
  type,
  entity,
  entityId,
  eventId,
  eventType,
  reason,
  topic,
  partition,
  offset,
  at,
}: InputRefused): Omit<InputRefused, "event"> {
  return { type, entity, entityId, eventId, eventType, reason, topic, partition, offset, at };
}

function isDecision(event: AssignmentEvent): boolean {
  return event.type === "DriverAssigned" || event.type === "DriverOffered";
}

/** What the matcher told the driver: the record of the proposal that the assignment names. */
async function proposalOf(
  log: Log,
  { driverCommands: topic }: StoryTopics,
  event: AssignmentEvent,
  budget: ReadBudget,
): Promise<Told<Why> | undefined> {
  const { proposalId } = event;
  const [cell, tick, driverId] = proposalId.split("/");
  const tickAt = Number(tick);
  if (cell === undefined || driverId === undefined || !Number.isFinite(tickAt)) return undefined;
  const key = encodeKey(topic.key, driverId);
  const partition = partitionFor(topic, driverId, key);
  let found: Told<Why> | undefined;
  const each = (cursor: RecordBatchCursor): boolean => {
    const told = toldAt<DriverCommand>(cursor, topic, partition);
    if (told.event.type !== "JobsProposed" || told.event.proposalId !== proposalId) return true;
    const { driverVersion, policy, slackMs, pickupEta, offerSeconds, jobs, plan } = told.event;
    found = {
      ...told,
      event: {
        driverId,
        driverVersion,
        proposalId,
        cell,
        tickAt,
        policy,
        slackMs,
        pickupEta,
        offerSeconds,
        jobs: jobs.map(({ jobId }) => jobId),
        plan: plan.map(({ jobId, kind }) => ({ jobId, kind })),
      },
    };
    return false;
  };
  const span = { since: Math.max(0, tickAt - 1), until: tickAt + PROPOSAL_SPAN_MS };
  await readRecords(log, { topic: topic.name, partition, ...span, key, each }, budget);
  return found;
}

function toldAt<V>(cursor: RecordBatchCursor, topic: Topic<string, V>, partition: number): Told<V> {
  const { offset, timestamp, bytes, valueStart, valueEnd } = cursor;
  return { topic: topic.name, partition, offset, timestamp, event: topic.value.decode(bytes, valueStart, valueEnd) };
}
