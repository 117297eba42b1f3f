/** One member of a group of the embedded log. */
import assert from "node:assert/strict";
import type { Membership, MembershipEvent, MembershipOptions } from "../../log.ts";
import { USER_DATA_BYTES_MAX } from "../defaults.ts";
import type { GroupBus } from "./group-bus.ts";
import type { GroupNotice, MemberAddress } from "./group-messages.ts";

export class EmbeddedMembership implements Membership {
  readonly #options: MembershipOptions;
  readonly #bus: GroupBus;
  readonly #me: MemberAddress;
  readonly #wake: () => void;
  readonly #events: MembershipEvent[] = [];
  #generation = -1;

  /** `wake` is called when an event has come, so that the host polls. */
  constructor(options: MembershipOptions, bus: GroupBus, threadId: number, wake: () => void) {
    this.#options = options;
    this.#bus = bus;
    this.#wake = wake;
    this.#me = { group: options.group, memberId: options.memberId, threadId };
  }

  /** Of the last assignment that `poll` gave; −1 before the first. */
  get generation(): number {
    return this.#generation;
  }

  join(): Promise<void> {
    const userData = this.#options.userData();
    assert(userData.length <= USER_DATA_BYTES_MAX, `user data of ${userData.length} bytes is above ${USER_DATA_BYTES_MAX}`);
    this.#bus.listen(this.#me, (notice) => this.#notice(notice));
    // A copy, since cloning a view would clone the whole pool behind it.
    this.#bus.request({ kind: "join", from: this.#me, userData: Uint8Array.from(userData) });
    return Promise.resolve();
  }

  rejoin(): Promise<void> {
    return this.join();
  }

  poll(): MembershipEvent | undefined {
    const event = this.#events.shift();
    if (event?.kind === "assigned") this.#generation = event.generation;
    return event;
  }

  leave(): Promise<void> {
    this.#bus.listen(this.#me, undefined);
    this.#events.length = 0;
    this.#bus.request({ kind: "leave", from: this.#me });
    return Promise.resolve();
  }

  #notice(notice: GroupNotice): void {
    if (notice.kind === "lead") {
      const assignments = this.#options
        .assign(notice.members)
        .map((each) => ({ memberId: each.memberId, assignment: Uint8Array.from(each.assignment) }));
      return this.#bus.request({ kind: "assign", from: this.#me, generation: notice.generation, assignments });
    }
    if (notice.kind === "rebalance") this.#rebalance();
    else if (notice.kind === "assigned")
      this.#events.push({ kind: "assigned", generation: notice.generation, assignment: notice.assignment });
    else this.#lost();
    this.#wake();
  }

  /** An assignment that was not polled yet is outdated: the member hears one rebalance for all that happened meanwhile. */
  #rebalance(): void {
    this.#events.length = 0;
    this.#events.push({ kind: "rebalance" });
  }

  #lost(): void {
    this.#bus.listen(this.#me, undefined);
    this.#events.length = 0;
    this.#events.push({ kind: "lost" });
  }
}
