/**
 * The coordinator of one classic consumer group.
 *
 *     empty ──join──▶ preparing ──all have joined, or the rebalance time is over──▶ completing ──leader's sync──▶ stable
 *                         ▲                                                             │                          │
 *                         └──────────── a member joins anew, leaves or falls silent ────┴──────────────────────────┘
 */
import type { Coded, GroupMember, JoinRequest, JoinResponse, SyncRequest, SyncResponse } from "../client/wire-contract.ts";
import type { Surroundings } from "../defaults.ts";

interface Member {
  /** A static member gets another one when somebody joins under its name. */
  id: string;
  /** Of a static member. */
  readonly instance: string | undefined;
  metadata: Buffer;
  sessionMs: number;
  rebalanceMs: number;
  assignment: Buffer;
  joining: ((response: JoinResponse) => void) | undefined;
  syncing: ((response: SyncResponse) => void) | undefined;
  stopSession: (() => void) | undefined;
}

type State = "empty" | "preparing" | "completing" | "stable";

const NONE = 0;
const ILLEGAL_GENERATION = 22;
const UNKNOWN_MEMBER_ID = 25;
const REBALANCE_IN_PROGRESS = 27;
const MEMBER_ID_REQUIRED = 79;
const FENCED_INSTANCE_ID = 82;
const NOTHING = Buffer.alloc(0);

export class GroupCoordinator {
  readonly #surroundings: Surroundings;
  readonly #name: string;
  readonly #members = new Map<string, Member>();
  /** Static members: `group.instance.id` → member. */
  readonly #places = new Map<string, Member>();
  /** Named, but not yet joined under the name. */
  readonly #named = new Set<string>();
  #state: State = "empty";
  #generation = 0;
  #leader = "";
  #made = 0;
  #stopWaiting: (() => void) | undefined;

  constructor(name: string, surroundings: Surroundings) {
    this.#name = name;
    this.#surroundings = surroundings;
  }

  get empty(): boolean {
    return this.#members.size === 0;
  }

  get generation(): number {
    return this.#generation;
  }

  join(request: JoinRequest): Promise<JoinResponse> {
    const { member: id, instance } = request;
    if (id === "") {
      const named = `${this.#name}-member-${++this.#made}`;
      if (instance !== undefined) return this.#joinStatically(named, instance, request);
      this.#named.add(named);
      return Promise.resolve(joinRefused(MEMBER_ID_REQUIRED, named));
    }
    const unknown = this.#unknown(request);
    if (unknown !== NONE && !(instance === undefined && this.#named.delete(id))) return Promise.resolve(joinRefused(unknown, id));
    const member = this.#members.get(id);
    const changed = !request.metadata.equals(member?.metadata ?? NOTHING);
    return this.#joinAs(member ?? this.#add(id, instance), request, changed);
  }

  /** No new generation where the group rests: the member's part is where its name is. */
  #joinStatically(id: string, instance: string, request: JoinRequest): Promise<JoinResponse> {
    const member = this.#places.get(instance);
    if (member === undefined) return this.#joinAs(this.#add(id, instance), request, true);
    const before = member.id;
    member.joining?.(joinRefused(FENCED_INSTANCE_ID, before));
    member.syncing?.({ errorCode: FENCED_INSTANCE_ID, assignment: NOTHING });
    member.joining = undefined;
    member.syncing = undefined;
    this.#members.delete(before);
    member.id = id;
    this.#members.set(id, member);
    if (this.#leader === before) this.#leader = id;
    if (this.#state !== "stable") return this.#joinAs(member, request, true);
    member.metadata = Buffer.from(request.metadata);
    member.sessionMs = request.sessionMsMax;
    member.rebalanceMs = request.rebalanceMsMax;
    this.#heard(member);
    return Promise.resolve(this.#joined(member));
  }

  #joinAs(member: Member, request: JoinRequest, changed: boolean): Promise<JoinResponse> {
    const { id } = member;
    member.metadata = Buffer.from(request.metadata);
    member.sessionMs = request.sessionMsMax;
    member.rebalanceMs = request.rebalanceMsMax;
    // A second join of the same member takes the place of the first.
    member.joining?.(joinRefused(UNKNOWN_MEMBER_ID, id));
    member.joining = undefined;
    const unchanged = (this.#state === "completing" && !changed) || (this.#state === "stable" && !changed && id !== this.#leader);
    if (unchanged) {
      this.#heard(member);
      return Promise.resolve(this.#joined(member));
    }
    const { promise, resolve } = Promise.withResolvers<JoinResponse>();
    member.joining = resolve;
    member.stopSession?.();
    this.#prepare();
    this.#completeWhenAllJoined();
    return promise;
  }

  #add(id: string, instance: string | undefined): Member {
    const member: Member = {
      id,
      instance,
      metadata: NOTHING,
      sessionMs: 0,
      rebalanceMs: 0,
      assignment: NOTHING,
      joining: undefined,
      syncing: undefined,
      stopSession: undefined,
    };
    this.#members.set(id, member);
    if (instance !== undefined) this.#places.set(instance, member);
    return member;
  }

  /** NONE for a member of that id, under that name if it has one. */
  #unknown({ member, instance }: Pick<GroupMember, "member" | "instance">): number {
    const place = instance === undefined ? undefined : this.#places.get(instance);
    if (place !== undefined && place.id !== member) return FENCED_INSTANCE_ID;
    return this.#members.has(member) && (instance === undefined || place !== undefined) ? NONE : UNKNOWN_MEMBER_ID;
  }

  sync(request: SyncRequest): Promise<SyncResponse> {
    const unknown = this.#unknown(request);
    const member = this.#members.get(request.member);
    if (unknown !== NONE || member === undefined) return Promise.resolve({ errorCode: unknown, assignment: NOTHING });
    if (request.generation !== this.#generation) return Promise.resolve({ errorCode: ILLEGAL_GENERATION, assignment: NOTHING });
    if (this.#state === "preparing") return Promise.resolve({ errorCode: REBALANCE_IN_PROGRESS, assignment: NOTHING });
    if (this.#state === "stable") {
      this.#heard(member);
      return Promise.resolve({ errorCode: NONE, assignment: member.assignment });
    }
    const { promise, resolve } = Promise.withResolvers<SyncResponse>();
    member.syncing = resolve;
    if (request.member === this.#leader) {
      for (const { member: id, assignment } of request.assignments) {
        const each = this.#members.get(id);
        if (each !== undefined) each.assignment = Buffer.from(assignment);
      }
      this.#state = "stable";
      this.#stopWaiting?.();
      for (const each of this.#members.values()) {
        each.syncing?.({ errorCode: NONE, assignment: each.assignment });
        each.syncing = undefined;
        this.#heard(each);
      }
    }
    return promise;
  }

  heartbeat(from: GroupMember): Coded {
    const { generation, member: id } = from;
    const unknown = this.#unknown(from);
    const member = this.#members.get(id);
    if (unknown !== NONE || member === undefined) return { errorCode: unknown };
    if (generation !== this.#generation) return { errorCode: ILLEGAL_GENERATION };
    this.#heard(member);
    return { errorCode: this.#state === "preparing" ? REBALANCE_IN_PROGRESS : NONE };
  }

  /** A static member may leave by its name alone. */
  leave({ member: id, instance }: GroupMember): Coded {
    const place = instance === undefined ? undefined : this.#places.get(instance);
    if (place !== undefined && id !== "" && place.id !== id) return { errorCode: FENCED_INSTANCE_ID };
    const member = place ?? this.#members.get(id);
    if (member === undefined) return { errorCode: this.#named.delete(id) ? NONE : UNKNOWN_MEMBER_ID };
    this.#remove(member);
    return { errorCode: NONE };
  }

  /** Whether offsets may be committed; without a member and generation they may, inside a transaction. */
  mayCommit(from: GroupMember): number {
    const { generation, member } = from;
    if (generation < 0 && member === "") return NONE;
    const unknown = this.#unknown(from);
    if (unknown !== NONE) return unknown;
    return generation === this.#generation ? NONE : ILLEGAL_GENERATION;
  }

  /** The group is led by another broker from now on: who waits for an answer hears `code`; silence counts anew. */
  moved(code: number): void {
    for (const member of this.#members.values()) {
      const { joining, syncing } = member;
      member.joining = undefined;
      member.syncing = undefined;
      joining?.(joinRefused(code, member.id));
      syncing?.({ errorCode: code, assignment: NOTHING });
      this.#heard(member);
    }
  }

  #prepare(): void {
    if (this.#state === "preparing") return;
    this.#state = "preparing";
    for (const member of this.#members.values()) {
      member.syncing?.({ errorCode: REBALANCE_IN_PROGRESS, assignment: NOTHING });
      member.syncing = undefined;
    }
    this.#waitForJoins();
  }

  #waitForJoins(): void {
    const waitMs = Math.max(0, ...[...this.#members.values()].map(({ rebalanceMs }) => rebalanceMs));
    this.#stopWaiting?.();
    this.#stopWaiting = this.#surroundings.after(waitMs, () => this.#complete());
  }

  #completeWhenAllJoined(): void {
    if (this.#state === "preparing" && [...this.#members.values()].every(({ joining }) => joining !== undefined)) this.#complete();
  }

  /** Those that have not joined in time are out, but for static members: these are until their session is over. */
  #complete(): void {
    this.#stopWaiting?.();
    for (const member of this.#members.values()) if (member.joining === undefined && member.instance === undefined) this.#forget(member);
    const joined = [...this.#members.values()].filter(({ joining }) => joining !== undefined);
    if (joined.length === 0 && this.#members.size > 0) {
      this.#waitForJoins();
      return;
    }
    this.#generation += 1;
    if (this.#members.size === 0) {
      this.#state = "empty";
      return;
    }
    this.#state = "completing";
    if (!joined.some(({ id }) => id === this.#leader)) this.#leader = joined[0]?.id ?? "";
    const members = [...this.#members.values()];
    for (const member of members) {
      const { joining } = member;
      member.joining = undefined;
      member.assignment = NOTHING;
      if (joining !== undefined) this.#heard(member);
      joining?.(this.#joined(member));
    }
    // Who does not ask for its part in time is out.
    const waitMs = Math.max(...members.map(({ rebalanceMs }) => rebalanceMs));
    this.#stopWaiting = this.#surroundings.after(waitMs, () => {
      for (const member of members) if (member.syncing === undefined && this.#members.has(member.id)) this.#forget(member);
      this.#prepare();
      this.#completeWhenAllJoined();
    });
  }

  #joined({ id }: Member): JoinResponse {
    const members = id === this.#leader ? [...this.#members.values()].map((each) => ({ member: each.id, metadata: each.metadata })) : [];
    return { errorCode: NONE, generation: this.#generation, leader: this.#leader, member: id, members };
  }

  #heard(member: Member): void {
    member.stopSession?.();
    member.stopSession = this.#surroundings.after(member.sessionMs, () => {
      // While it waits for the others, silence is not its fault.
      if (member.joining === undefined && this.#members.get(member.id) === member) this.#remove(member);
    });
  }

  #remove(member: Member): void {
    this.#forget(member);
    if (this.#state === "empty") return;
    this.#prepare();
    this.#completeWhenAllJoined();
  }

  #forget(member: Member): void {
    member.stopSession?.();
    member.joining?.(joinRefused(UNKNOWN_MEMBER_ID, member.id));
    member.syncing?.({ errorCode: UNKNOWN_MEMBER_ID, assignment: NOTHING });
    this.#members.delete(member.id);
    if (member.instance !== undefined) this.#places.delete(member.instance);
  }
}

function joinRefused(errorCode: number, member: string): JoinResponse {
  return { errorCode, generation: -1, leader: "", member, members: [] };
}
