/**
 * One member of a consumer group by the classic protocol: joins, hears its part, heartbeats, and tells the host what happens.
 *
 *     outside ──join──▶ joining ──part heard──▶ stable ──heartbeat: rebalance──▶ called ──rejoin──▶ joining
 *        ▲                 │                      │                                │
 *        └──── leave ──────┴───── lost: unknown member, old generation, ───────────┘
 *                                 no heartbeat for a session
 *
 * The generation that commits are fenced by is the one whose assignment the host has polled: what the background learns
 * later does not cover work done before. A member that the coordinator has forgotten while it joined is lost too, if it had an
 * assignment: others may have had its part, and given it up again, in a generation that it was no member of. So may they in one
 * that went by while it did not answer: a static member is kept then, and told of the next one only.
 *
 * It is a static member, its name the host's own: a process that died and came back takes its place and its part at once, without a
 * new generation and without anybody waiting for the dead one's session. Whoever had the place before is fenced.
 */
import assert from "node:assert/strict";
import { LogError } from "../../errors.ts";
import type { Membership, MembershipEvent, MembershipOptions } from "../../log.ts";
import type { Cluster } from "../client/cluster.ts";
import {
  FENCED_INSTANCE_ID,
  MEMBER_ID_REQUIRED,
  NONE,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
  reactionTo,
} from "../client/error-codes.ts";
import { backoffMs } from "../client/retrying.ts";
import { refusedError } from "../client/rights.ts";
import type { Destination, GroupMember, JoinResponse } from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { FENCED_AGAIN_MS, HURRIED_HEARTBEAT_MS, HURRY_MS_MAX, REQUEST_MS_MAX, USER_DATA_BYTES_MAX } from "../defaults.ts";
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription, ForeignMemberError } from "./consumer-protocol.ts";

export interface GroupTimes {
  readonly sessionMsMax: number;
  readonly rebalanceMsMax: number;
  readonly heartbeatMs: number;
}

export interface KafkaMembershipDependencies {
  readonly cluster: Cluster;
  readonly times: GroupTimes;
  /** An event has come: the host polls. */
  readonly wake: () => void;
  readonly lane: number;
  /** Called once, when the member has left. */
  readonly closed: () => void;
}

/** No retry will change it. */
class GroupRefusedError extends LogError {
  constructor(group: string, what: string, code: number, principal: string) {
    const error = refusedError({ code, what: `${what} in the group ${group}`, needs: `Read on the group ${group}`, principal });
    super(error.code, error.message);
  }
}

/** Two processes would throw one another out for ever. */
class PlaceTakenError extends LogError {
  constructor(group: string, instance: string) {
    super(
      "MEMBER_FENCED",
      `Another process has taken the place of ${instance} in the group ${group}, twice within a minute. Give each instance an id and a directory of its own.`,
    );
  }
}

type MemberState = "outside" | "joining" | "stable" | "called" | "left";

const PROTOCOL = "slackline";
const NO_GENERATION = -1;
/** What Kafka allows a static member to be called; another name joins as a dynamic one. */
const INSTANCE_NAME = /^[A-Za-z0-9._-]{1,249}$/;

export class KafkaMembership implements Membership {
  readonly #options: MembershipOptions;
  readonly #deps: KafkaMembershipDependencies;
  readonly #bornAt: number;
  /** `{ instance }`, as requests name it; empty for a dynamic member. */
  readonly #place: { readonly instance?: string };
  #fencedAt = -Infinity;
  #state: MemberState = "outside";
  #event: MembershipEvent | undefined;
  #error: unknown;
  /** As the broker named us; empty before it did. */
  #member = "";
  /** Of the last join. */
  #joined = NO_GENERATION;
  /** Of the last assignment that was polled. */
  #polled: GroupMember;
  #joins = 0;
  /** Of two rounds of joining only the later one counts. */
  #round = 0;
  #failures = 0;
  #heardAt = 0;
  #hurriesUntil = -Infinity;
  #stopTimer: (() => void) | undefined;

  constructor(options: MembershipOptions, deps: KafkaMembershipDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#bornAt = deps.cluster.surroundings.now();
    this.#place = INSTANCE_NAME.test(options.memberId) ? { instance: options.memberId } : {};
    this.#polled = { group: options.group, generation: NO_GENERATION, member: "", ...this.#place };
  }

  get generation(): number {
    return this.#polled.generation;
  }

  /** Under which offsets are committed. */
  get identity(): GroupMember {
    return this.#polled;
  }

  /** Asks to join and resolves; the assignment comes as an event when all members have joined. */
  join(): Promise<void> {
    if (this.#state === "left") return Promise.reject(new assert.AssertionError({ message: "a member that has left does not join again" }));
    // What was lost since the host looked is lost all the same: it hears so first, and joins with nothing.
    if (this.#event?.kind === "lost") return Promise.resolve();
    this.#joins += 1;
    this.#event = undefined;
    this.#beginRound();
    return Promise.resolve();
  }

  rejoin(): Promise<void> {
    return this.join();
  }

  expectAnother(): void {
    this.#hurriesUntil = this.#deps.cluster.surroundings.now() + HURRY_MS_MAX;
    if (this.#state === "stable") this.#scheduleHeartbeat(this.#round);
  }

  /** Throws what makes joining hopeless, once: rights, another kind of member, a fault in `assign` or `userData`. */
  poll(): MembershipEvent | undefined {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    const event = this.#event;
    this.#event = undefined;
    if (event?.kind === "assigned") this.#polled = { ...this.#polled, generation: event.generation, member: this.#member };
    else if (event?.kind === "lost") this.#polled = { ...this.#polled, generation: NO_GENERATION };
    return event;
  }

  /** The others hear of it at once. */
  async leave(): Promise<void> {
    if (this.#state === "left") return;
    const member = this.#member;
    // The coordinator may know a static member before that has heard its id: it leaves by its name alone then.
    const known = member !== "" || (this.#state === "joining" && this.#place.instance !== undefined);
    await this.abandon();
    if (!known) return;
    try {
      const to = await this.#coordinator("heartbeat");
      await this.#deps.cluster.wire.leave(to, { group: this.#options.group, generation: this.#joined, member, ...this.#place });
    } catch {
      // Its session will end.
    }
  }

  /** Ends without a word: the group notices when the session is over. */
  abandon(): Promise<void> {
    if (this.#state === "left") return Promise.resolve();
    this.#state = "left";
    this.#round += 1;
    this.#event = undefined;
    this.#stopTimer?.();
    this.#deps.closed();
    return Promise.resolve();
  }

  #beginRound(): void {
    const round = ++this.#round;
    this.#stopTimer?.();
    this.#state = "joining";
    this.#joinOnce(round).then(
      (joined) => {
        if (round !== this.#round) return;
        if (joined) this.#failures = 0;
        else this.#again(round);
      },
      (error: unknown) => {
        if (round !== this.#round) return;
        this.#deps.cluster.forgetCoordinator("group", this.#options.group);
        if (isPassing(error)) this.#again(round);
        else this.#fail(error);
      },
    );
  }

  #again(round: number): void {
    const { random, after } = this.#deps.cluster.surroundings;
    this.#stopTimer = after(backoffMs(this.#failures++, random(), false), () => {
      if (round === this.#round) this.#beginRound();
    });
  }

  /** False when it must be done again. */
  async #joinOnce(round: number): Promise<boolean> {
    const { cluster, times } = this.#deps;
    const { group, topics } = this.#options;
    const userData = this.#options.userData();
    assert(userData.length <= USER_DATA_BYTES_MAX, `user data of ${userData.length} bytes is above ${USER_DATA_BYTES_MAX}`);
    const metadata = encodeSubscription(topics, { memberId: this.#options.memberId, bornAt: this.#bornAt, joins: this.#joins, userData });
    const { sessionMsMax, rebalanceMsMax } = times;
    const request = { group, sessionMsMax, rebalanceMsMax, protocol: PROTOCOL, metadata, reason: "joins", ...this.#place };
    const to = await this.#coordinator("join");
    let joined = await cluster.wire.join(to, { ...request, member: this.#member });
    if (joined.errorCode === MEMBER_ID_REQUIRED && round === this.#round) {
      this.#member = joined.member;
      joined = await cluster.wire.join(to, { ...request, member: this.#member });
    }
    if (round !== this.#round) return false;
    if (joined.errorCode !== NONE) return this.#refused(joined.errorCode, "to join");
    const skipped = this.#polled.generation !== NO_GENERATION && joined.generation > this.#joined + 1;
    this.#member = joined.member;
    this.#joined = joined.generation;
    if (skipped) this.#lost(NONE);
    return skipped || this.#sync(round, to, joined);
  }

  async #sync(round: number, to: Destination, joined: JoinResponse): Promise<boolean> {
    const { cluster } = this.#deps;
    const { generation, member } = joined;
    const assignments = joined.leader === member ? this.#assign(joined) : [];
    const { group } = this.#options;
    const answer = await cluster.wire.sync(to, { group, generation, member, ...this.#place, protocol: PROTOCOL, assignments });
    if (round !== this.#round) return false;
    if (answer.errorCode !== NONE) return this.#refused(answer.errorCode, "to share");
    this.#state = "stable";
    this.#hurriesUntil = -Infinity;
    this.#heardAt = cluster.surroundings.now();
    this.#tell({ kind: "assigned", generation, assignment: decodeAssignment(answer.assignment) });
    this.#scheduleHeartbeat(round);
    return true;
  }

  /** By what the members say of themselves; of two with one id the younger counts, and the older gets nothing. */
  #assign(joined: JoinResponse): { readonly member: string; readonly assignment: Buffer }[] {
    const cards = joined.members.map(({ member, metadata }) => ({ member, card: decodeSubscription(metadata) }));
    const youngest = new Map<string, (typeof cards)[number]>();
    for (const each of cards) {
      const known = youngest.get(each.card.memberId);
      if (known === undefined || known.card.bornAt < each.card.bornAt) youngest.set(each.card.memberId, each);
    }
    const infos = [...youngest.values()].map(({ card: { memberId, userData } }) => ({ memberId, userData }));
    const parts = new Map(this.#options.assign(infos).map(({ memberId, assignment }) => [memberId, assignment]));
    return cards.map((each) => {
      const part = youngest.get(each.card.memberId) === each ? parts.get(each.card.memberId) : undefined;
      return { member: each.member, assignment: encodeAssignment(part ?? new Uint8Array(0)) };
    });
  }

  /**
   * It is tried again, under a new id if this one is not known any more, unless it never will go. True when there is nothing more to
   * do: what the member had is lost, and the host joins anew.
   */
  #refused(code: number, what: string): boolean {
    const reaction = reactionTo(code);
    if (reaction === "stop" || reaction === "refuse")
      throw new GroupRefusedError(this.#options.group, what, code, this.#deps.cluster.principal);
    if (code === UNKNOWN_MEMBER_ID || code === FENCED_INSTANCE_ID) {
      if (code === FENCED_INSTANCE_ID) this.#fenced();
      this.#member = "";
      if (this.#polled.generation === NO_GENERATION) return false;
      this.#lost(code);
      return true;
    }
    if (reaction === "refresh") this.#deps.cluster.forgetCoordinator("group", this.#options.group);
    return false;
  }

  /** The next poll throws it: another try would end the same way. */
  #fail(error: unknown): void {
    this.#round += 1;
    this.#stopTimer?.();
    this.#state = "outside";
    this.#event = undefined;
    this.#error = error;
    this.#deps.wake();
  }

  #scheduleHeartbeat(round: number): void {
    this.#stopTimer?.();
    const { cluster, times } = this.#deps;
    const hurries = cluster.surroundings.now() < this.#hurriesUntil;
    this.#stopTimer = cluster.surroundings.after(hurries ? Math.min(HURRIED_HEARTBEAT_MS, times.heartbeatMs) : times.heartbeatMs, () => {
      this.#heartbeat(round).catch(() => {
        if (round === this.#round) this.#missed(round);
      });
    });
  }

  async #heartbeat(round: number): Promise<void> {
    const { cluster } = this.#deps;
    const to = await this.#coordinator("heartbeat");
    const { group } = this.#options;
    const { errorCode } = await cluster.wire.heartbeat(to, { group, generation: this.#joined, member: this.#member, ...this.#place });
    if (round !== this.#round) return;
    const reaction = reactionTo(errorCode);
    if (reaction === "refresh" || reaction === "retry") return this.#missed(round);
    if (errorCode === FENCED_INSTANCE_ID) {
      try {
        this.#fenced();
      } catch (error) {
        return this.#fail(error);
      }
    }
    if (errorCode !== NONE && errorCode !== REBALANCE_IN_PROGRESS) return this.#lost(errorCode);
    this.#heardAt = cluster.surroundings.now();
    if (errorCode === REBALANCE_IN_PROGRESS && this.#state === "stable") {
      this.#state = "called";
      // An assignment that was not polled yet is outdated: the host hears one rebalance for all that happened meanwhile.
      this.#tell({ kind: "rebalance" });
    }
    // It goes on until the host rejoins: finishing what is in flight takes its time.
    this.#scheduleHeartbeat(round);
  }

  /** The coordinator moves or is away; after a whole session without it, it has given our tasks to others. */
  #missed(round: number): void {
    const { cluster, times } = this.#deps;
    cluster.forgetCoordinator("group", this.#options.group);
    if (cluster.surroundings.now() - this.#heardAt > times.sessionMsMax) this.#lost(NONE);
    else this.#scheduleHeartbeat(round);
  }

  /**
   * Somebody has joined under this name. Once that may have been a request of our own that arrived late, and it joins anew; soon
   * after it is another process. Throws then.
   */
  #fenced(): void {
    const now = this.#deps.cluster.surroundings.now();
    const again = now - this.#fencedAt < FENCED_AGAIN_MS;
    this.#fencedAt = now;
    if (again) throw new PlaceTakenError(this.#options.group, this.#options.memberId);
  }

  /** The host joins again when it has closed its tasks. */
  #lost(code: number): void {
    if (code === UNKNOWN_MEMBER_ID || code === FENCED_INSTANCE_ID) this.#member = "";
    this.#round += 1;
    this.#stopTimer?.();
    this.#state = "outside";
    this.#tell({ kind: "lost" });
  }

  #tell(event: MembershipEvent): void {
    this.#event = event;
    this.#deps.wake();
  }

  async #coordinator(purpose: "join" | "heartbeat"): Promise<Destination> {
    const { cluster, times, lane } = this.#deps;
    const to = await cluster.coordinator("group", this.#options.group, `${purpose}/${lane}`, times.sessionMsMax);
    return purpose === "join" ? { ...to, answerMsMax: times.rebalanceMsMax + REQUEST_MS_MAX } : { ...to, answerMsMax: times.sessionMsMax };
  }
}

/** The coordinator is away or out of reach. Another kind of member, a refusal and a bug do not pass. */
function isPassing(error: unknown): boolean {
  if (error instanceof WireError) return error.failure !== "refused";
  return (
    error instanceof LogError &&
    // Of the coordinator too: who has no right to the group does not find it either.
    error.code !== "LOG_FORBIDDEN" &&
    !(error instanceof GroupRefusedError) &&
    !(error instanceof PlaceTakenError) &&
    !(error instanceof ForeignMemberError)
  );
}
