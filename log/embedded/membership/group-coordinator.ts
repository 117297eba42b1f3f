/**
 * Groups of one process, after Kafka's: all members join, the first of them assigns, each hears its part.
 *
 *     stable ──someone joins, leaves or dies──▶ joining ──all have joined──▶ assigning ──leader answered──▶ stable
 *                                                  ▲                            │ someone joins, leaves or dies
 *                                                  └────────────────────────────┘
 *
 * There is no session timeout: a thread that hangs hangs the process, and one that exits is reported.
 */
import type { MemberAssignment } from "../../log.ts";
import type { GroupNotice, GroupRequest, MemberAddress } from "./group-messages.ts";

interface Member {
  readonly address: MemberAddress;
  userData: Uint8Array;
  joined: boolean;
}

interface Group {
  phase: "stable" | "joining" | "assigning";
  generation: number;
  readonly members: Map<string, Member>;
}

const NOTHING = new Uint8Array(0);

export class GroupCoordinator {
  readonly #groups = new Map<string, Group>();
  readonly #send: (notice: GroupNotice) => void;

  constructor(send: (notice: GroupNotice) => void) {
    this.#send = send;
  }

  handle(request: GroupRequest): void {
    switch (request.kind) {
      case "join":
        return this.#join(request.from, request.userData);
      case "assign":
        return this.#assign(request.from, request.generation, request.assignments);
      case "leave":
        return this.#leave(request.from);
      default:
        return request satisfies never;
    }
  }

  /** All members of a thread that has exited are gone. */
  threadGone(threadId: number): void {
    for (const group of this.#groups.values()) {
      // A list of its own: leaving takes members out of the map.
      const gone = Array.from(group.members.values(), (member) => member.address).filter((address) => address.threadId === threadId);
      for (const address of gone) this.#leave(address);
    }
  }

  #join(from: MemberAddress, userData: Uint8Array): void {
    const group = this.#groupOf(from.group);
    const known = group.members.get(from.memberId);
    if (known !== undefined && known.address.threadId !== from.threadId) {
      // The same member id in another thread: the older one is a leftover.
      this.#send({ kind: "lost", to: known.address });
      group.members.delete(from.memberId);
    }
    if (group.phase !== "joining") this.#prepare(group, from.memberId);
    const member = group.members.get(from.memberId);
    if (member === undefined) group.members.set(from.memberId, { address: from, userData, joined: true });
    else Object.assign(member, { userData, joined: true });
    this.#lead(group);
  }

  #leave(from: MemberAddress): void {
    const group = this.#groupOf(from.group);
    if (group.members.get(from.memberId)?.address.threadId !== from.threadId) return;
    group.members.delete(from.memberId);
    if (group.phase !== "joining") this.#prepare(group, undefined);
    this.#lead(group);
  }

  #assign(from: MemberAddress, generation: number, assignments: readonly MemberAssignment[]): void {
    const group = this.#groupOf(from.group);
    // An answer to a question that is no longer asked.
    if (group.phase !== "assigning" || generation !== group.generation) return;
    group.phase = "stable";
    for (const { address } of group.members.values()) {
      const assignment = assignments.find((each) => each.memberId === address.memberId)?.assignment ?? NOTHING;
      this.#send({ kind: "assigned", to: address, generation, assignment });
    }
  }

  #prepare(group: Group, except: string | undefined): void {
    group.phase = "joining";
    for (const member of group.members.values()) {
      member.joined = false;
      if (member.address.memberId !== except) this.#send({ kind: "rebalance", to: member.address });
    }
  }

  #lead(group: Group): void {
    const members = [...group.members.values()];
    const leader = members[0];
    if (leader === undefined) {
      group.phase = "stable";
      return;
    }
    if (!members.every((member) => member.joined)) return;
    group.phase = "assigning";
    group.generation += 1;
    const infos = members.map(({ address, userData }) => ({ memberId: address.memberId, userData }));
    this.#send({ kind: "lead", to: leader.address, generation: group.generation, members: infos });
  }

  #groupOf(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = { phase: "stable", generation: 0, members: new Map() }));
    return group;
  }
}
