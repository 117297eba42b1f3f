/** "life": walks every job's trips beside the sequential model, and says which inputs were never consumed (for D5). */
import type { AssignmentEvent, JobProgressed, JobUpdate, TripChanged } from "#schemas";
import { topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";
import { stepTo, unknownJob, whyPublishedWrong, whyTripWrong } from "./job-life.ts";
import type { ModelJob, Update } from "./job-life.ts";
import type { Request } from "./request.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

interface UpdateAt {
  readonly update: Update;
  readonly partition: number;
  readonly offset: number;
}

interface Story {
  readonly requests: Request[];
  readonly updates: UpdateAt[];
  readonly published: ProofRecord<AssignmentEvent>[];
  requestsDone: number;
  updatesDone: number;
  publishedDone: number;
  job: ModelJob;
  jobVersion: number;
  /** Where the attempt was when the job ended: still asked for, in a driver's plan, or given back. */
  token: "asked" | "held" | "back";
  /** After the first unexplained trip nothing of this job is judged further. */
  lost: boolean;
}

/** Feed it accepted requests (refused ones left out), updates and assignments first, then the trips. */
export class JobLifeCheck {
  readonly #findings = new Findings("life");
  readonly #stories = new Map<string, Story>();

  addRequest(jobId: string, request: Request): void {
    this.#storyOf(jobId).requests.push(request);
  }

  addUpdate({ value: update, partition, offset }: ProofRecord<JobUpdate>): void {
    if (update.type !== "PolicyChanged" && update.type !== "SurgeChanged")
      this.#storyOf(update.jobId).updates.push({ update, partition, offset });
  }

  addAssignment(record: ProofRecord<AssignmentEvent>): void {
    this.#storyOf(record.value.jobId).published.push(record);
  }

  addTrip(record: ProofRecord<TripChanged>): void {
    const { value: trip } = record;
    this.#findings.checked();
    const story = this.#storyOf(trip.jobId);
    if (story.lost) return;
    const wrong = advance(story, trip);
    if (wrong === undefined) return;
    story.lost = true;
    this.#findings.violated(topicNames.trips, record, `job ${trip.jobId}, version ${trip.jobVersion}, ${wrong}`);
  }

  verdict(options: { readonly quiescent: boolean }): Verdict {
    for (const [jobId, story] of this.#stories) {
      const left = story.published[story.publishedDone];
      if (left !== undefined && options.quiescent && !story.lost) {
        this.#findings.violated(topicNames.assignments, left, `${left.value.type} of job ${jobId} belongs to no trip`);
      }
      this.#judgeLate(jobId, story);
      const unheard = story.updates[story.updatesDone];
      if (unheard !== undefined && options.quiescent && !story.lost && !hasEnded(story.job)) {
        this.#findings.violated(topicNames.jobUpdates, unheard, `${unheard.update.type} for job ${jobId} changed nothing`);
      }
    }
    return this.#findings.verdict();
  }

  /** Requests that changed nothing. */
  *unconsumedRequests(): Generator<readonly [jobId: string, request: Request]> {
    for (const [jobId, story] of this.#stories) {
      for (const request of story.requests.slice(story.requestsDone)) yield [jobId, request];
    }
  }

  /** Progress that came after the end: each must be recorded as refused. */
  *lateProgress(): Generator<UpdateAt & { readonly update: JobProgressed }> {
    for (const story of this.#stories.values()) {
      if (story.lost || !hasEnded(story.job)) continue;
      for (const { update, ...at } of story.updates.slice(story.updatesDone)) if (update.type === "JobProgressed") yield { update, ...at };
    }
  }

  /** What may still come when the job has ended: the answer of whoever had the attempt then, and nothing else. */
  #judgeLate(jobId: string, story: Story): void {
    if (story.lost || !hasEnded(story.job)) return;
    for (const late of story.updates.slice(story.updatesDone)) {
      const { update } = late;
      const expected = update.type === "JobReserved" ? "asked" : "held";
      const over = update.type === "JobDropped" || (update.type === "JobProgressed" && update.step === "droppedOff");
      if (story.token !== expected || update.attempt !== story.job.attempt) {
        this.#findings.violated(topicNames.jobUpdates, late, `${update.type} for job ${jobId} cannot follow its end`);
        return;
      }
      story.token = over ? "back" : "held";
    }
  }

  #storyOf(jobId: string): Story {
    let story = this.#stories.get(jobId);
    if (story === undefined) {
      const done = { requestsDone: 0, updatesDone: 0, publishedDone: 0 };
      story = { requests: [], updates: [], published: [], ...done, job: unknownJob, jobVersion: 0, token: "back", lost: false };
      this.#stories.set(jobId, story);
    }
    return story;
  }
}

function advance(story: Story, trip: TripChanged): string | undefined {
  if (trip.jobVersion !== story.jobVersion + 1) return `follows version ${story.jobVersion}`;
  if (hasEnded(story.job)) return `follows the end, ${story.job.state}`;
  story.jobVersion = trip.jobVersion;
  const published: AssignmentEvent[] = [];
  for (;;) {
    const event = story.published[story.publishedDone]?.value;
    if (event === undefined || event.jobVersion > trip.jobVersion) break;
    published.push(event);
    story.publishedDone++;
  }
  const failure = published.find((event) => event.type === "AssignmentFailed")?.reason;
  const request = story.requests[story.requestsDone];
  const step = stepTo(story.job, trip, { request, update: story.updates[story.updatesDone]?.update, failure });
  if (typeof step === "string") return step;
  if (step.consumes !== "update") story.token = story.job.state === "open" ? "asked" : "held";
  else story.token = "back";
  story.job = step.job;
  if (step.consumes === "request") story.requestsDone++;
  if (step.consumes === "update") story.updatesDone++;
  const stray = published.find((event) => event.jobVersion !== trip.jobVersion);
  if (stray !== undefined) return `comes after ${stray.type} of version ${stray.jobVersion}, which belongs to no trip`;
  return whyTripWrong(step.job, trip) ?? whyPublishedWrong(step.published, published);
}

function hasEnded({ state }: ModelJob): boolean {
  return state === "completed" || state === "cancelled" || state === "failed";
}
