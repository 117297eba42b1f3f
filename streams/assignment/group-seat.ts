/**
 * One stream thread's seat in the group of its application: turns what the membership says into tasks, gives tasks up in one
 * generation so that others get them in the next, and asks for a new generation when somebody waits for that or a warm-up is done.
 * Plain and passive: a step each time the thread has one.
 */
import assert from "node:assert/strict";
import type { Membership, MembershipEvent } from "#log";
import type { Assignment } from "../runtime/assignment.ts";
import { taskName, type TaskId } from "../task/task-id.ts";
import { WARM_UP_ASKS_BELOW, WARM_UP_LOOK_MS, WARM_UP_LOOK_MS_MAX } from "./defaults.ts";
import { decodePart, NOTHING } from "./group-bytes.ts";
import type { MemberPart } from "./group-contract.ts";
import { nextSeatState, type SeatEvent, type SeatState } from "./seat-life.ts";

/** What a seat asks of its thread. */
export interface SeatedThread {
  /** Tasks that it has now, whatever they do. */
  readonly held: readonly TaskId[];
  /** True until tasks that are not assigned any more are committed and closed. */
  readonly retiring: boolean;
  /** Asked in each step until it is true: what was done at the first time is committed, and nothing more is until `resumeCommits`. */
  endTransaction(): boolean;
  resumeCommits(): void;
  reassign(assignment: Assignment): void;
  /** Nothing of what is not committed may be committed any more, and no task is its own. */
  loseTasks(): void;
  /** Records that a task followed here is behind; Infinity while nobody knows. */
  lag(task: TaskId): number;
}

export interface GroupSeatOptions {
  readonly membership: Membership;
  readonly thread: SeatedThread;
  readonly acceptableLagRecords: number;
  /** Told of each part. */
  readonly assigned: (part: MemberPart, generation: number) => void;
}

export class GroupSeat {
  readonly #options: GroupSeatOptions;
  #state: SeatState = "outside";
  #part: MemberPart = NOTHING;
  #generation = -1;
  /** Given since it was lost the last time: what the thread has beside these is not this member's any more. */
  readonly #given = new Set<string>();
  /** Asked for already. */
  #asked = false;
  #lookAt = Infinity;
  /** It asked because of what it warms up. */
  #askedAsWarm = false;
  #lookMs = WARM_UP_LOOK_MS;

  constructor(options: GroupSeatOptions) {
    this.#options = options;
  }

  get state(): SeatState {
    return this.#state;
  }

  /** Of the part that it has; −1 before the first and after it was lost. */
  get generation(): number {
    return this.#generation;
  }

  get part(): MemberPart {
    return this.#part;
  }

  /** What others must not be given: its part, and what it has not given up yet. */
  get claims(): Pick<MemberPart, "active" | "standby"> {
    const { active, standby } = this.#part;
    const named = new Set(active.map(taskName));
    const kept = this.#options.thread.held.filter((task) => !named.has(taskName(task)) && this.#given.has(taskName(task)));
    return { active: [...active, ...kept], standby };
  }

  /** When a step has something to look at by the clock alone. */
  get nextDueAt(): number {
    return this.#state === "seated" ? this.#lookAt : Infinity;
  }

  /** True when something moved. Throws what makes it impossible to be a member. */
  step(now: number): boolean {
    if (this.#state === "left") return false;
    const event = this.#options.membership.poll();
    if (event !== undefined) this.#hear(event, now);
    if (this.#state === "outside") {
      this.#become("join");
      this.#ask();
      return true;
    }
    if (this.#state === "seated" && this.#wantsAnother(now)) {
      this.#asked = true;
      this.#become("ask");
    }
    if (this.#state !== "ending") return event !== undefined;
    if (!this.#options.thread.endTransaction()) return event !== undefined;
    this.#become("ended");
    this.#ask();
    return true;
  }

  /** The others hear of it at once. Call it when the thread has committed, or never will. */
  leave(): Promise<void> {
    if (this.#state === "left") return Promise.resolve();
    this.#become("leave");
    return this.#options.membership.leave();
  }

  #hear(event: MembershipEvent, now: number): void {
    switch (event.kind) {
      case "rebalance": {
        // What was not polled is outdated, and this member must not commit under a generation that is over.
        const waits = this.#state === "waiting";
        this.#become("rebalance");
        if (waits) this.#ask();
        break;
      }
      case "assigned":
        this.#become("assigned");
        this.#take(decodePart(event.assignment), event.generation, now);
        break;
      case "lost":
        this.#become("lost");
        this.#part = { ...NOTHING, owners: this.#part.owners };
        this.#generation = -1;
        this.#given.clear();
        this.#options.thread.loseTasks();
        break;
      default:
        event satisfies never;
    }
  }

  #take(part: MemberPart, generation: number, now: number): void {
    const { thread, assigned } = this.#options;
    this.#patience(part);
    this.#part = part;
    this.#generation = generation;
    for (const task of part.active) this.#given.add(taskName(task));
    this.#asked = false;
    this.#lookAt = part.warmUps.length > 0 ? now + this.#lookMs : Infinity;
    // A task that nobody runs changes hands: whoever gives it up asks for the next generation as soon as it has.
    if (part.owners.tasks.some(({ active }) => active === undefined)) this.#options.membership.expectAnother?.();
    thread.resumeCommits();
    thread.reassign({ generation, tasks: part.active, standbys: part.standby });
    assigned(part, generation);
  }

  #wantsAnother(now: number): boolean {
    if (this.#asked) return false;
    const { thread, acceptableLagRecords } = this.#options;
    if (this.#part.handsOver) return !thread.retiring;
    if (now < this.#lookAt) return false;
    this.#lookAt = now + this.#lookMs;
    this.#askedAsWarm = this.#part.warmUps.every((task) => thread.lag(task) <= acceptableLagRecords * WARM_UP_ASKS_BELOW);
    return this.#askedAsWarm;
  }

  /** Who asked and still warms up the same was not near enough for the leader: every asking costs the whole group a generation. */
  #patience({ warmUps }: MemberPart): void {
    const before = new Set(this.#part.warmUps.map(taskName));
    const inVain = this.#askedAsWarm && warmUps.some((task) => before.has(taskName(task)));
    if (inVain) this.#lookMs = Math.min(this.#lookMs * 2, WARM_UP_LOOK_MS_MAX);
    else if (!warmUps.some((task) => before.has(taskName(task)))) this.#lookMs = WARM_UP_LOOK_MS;
    this.#askedAsWarm = false;
  }

  /** Joining is under way from here; its failures are the membership's own. */
  #ask(): void {
    void this.#options.membership.rejoin();
  }

  #become(event: SeatEvent): void {
    const next = nextSeatState(this.#state, event);
    assert(next !== null, `${event} cannot happen to a seat that is ${this.#state}`);
    this.#state = next;
  }
}
