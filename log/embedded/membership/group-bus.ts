/** Carries group messages between the threads of the process; the coordinator lives in the thread that owns the log. */
import { BroadcastChannel } from "node:worker_threads";
import { GroupCoordinator } from "./group-coordinator.ts";
import type { GroupNotice, GroupRequest, MemberAddress } from "./group-messages.ts";

export type GroupListener = (notice: GroupNotice) => void;

type BusMessage = { readonly request: GroupRequest } | { readonly notice: GroupNotice };

export interface GroupBusOptions {
  /** The same in all threads that share a log, another for another log. */
  readonly channel: string;
  readonly threadId: number;
  readonly owner: boolean;
}

/** Within the owner's thread everything is a plain call: a host in virtual time sees no message on its way. */
export class GroupBus {
  readonly #options: GroupBusOptions;
  readonly #coordinator: GroupCoordinator | undefined;
  readonly #listeners = new Map<string, GroupListener>();
  #channel: BroadcastChannel | undefined;

  constructor(options: GroupBusOptions) {
    this.#options = options;
    if (options.owner) this.#coordinator = new GroupCoordinator((notice) => this.#deliver(notice));
  }

  /** The owner listens before it gives the log to another thread; other threads when they first use it. */
  open(): void {
    if (this.#channel !== undefined) return;
    this.#channel = new BroadcastChannel(this.#options.channel);
    this.#channel.addEventListener("message", (event: unknown) => {
      // Only the post calls below write to this channel.
      this.#receive((event as { readonly data: BusMessage }).data);
    });
    this.#channel.unref();
  }

  listen(member: MemberAddress, listener: GroupListener | undefined): void {
    if (listener === undefined) this.#listeners.delete(nameOf(member));
    else this.#listeners.set(nameOf(member), listener);
  }

  request(request: GroupRequest): void {
    if (this.#coordinator !== undefined) return this.#coordinator.handle(request);
    this.open();
    this.#channel?.postMessage({ request } satisfies BusMessage);
  }

  threadGone(threadId: number): void {
    this.#coordinator?.threadGone(threadId);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#listeners.clear();
  }

  #receive(message: BusMessage): void {
    if ("request" in message) this.#coordinator?.handle(message.request);
    else if (message.notice.to.threadId === this.#options.threadId) this.#listeners.get(nameOf(message.notice.to))?.(message.notice);
  }

  #deliver(notice: GroupNotice): void {
    if (notice.to.threadId === this.#options.threadId) this.#listeners.get(nameOf(notice.to))?.(notice);
    else this.#channel?.postMessage({ notice } satisfies BusMessage);
  }
}

function nameOf(member: MemberAddress): string {
  return `${member.group}\0${member.memberId}`;
}
