/** Starts the processes of the streams' clients, has them count at the same time, and puts together what they saw. */
import { fork, type ChildProcess } from "node:child_process";
import type { FollowCommand, FollowMessage, FollowOrder, FollowReport } from "./messages.ts";

export interface FollowStages {
  /** All streams are open. */
  readonly opened: () => Promise<void>;
}

/** Rejects when a process ends without its report. */
export async function follow(orders: readonly FollowOrder[], { opened }: FollowStages): Promise<FollowReport> {
  const clients = orders.map((order) => new Client(order));
  try {
    await Promise.all(clients.map((client) => client.opened));
    await opened();
    for (const client of clients) client.count();
    const reports = await Promise.all(clients.map((client) => client.report));
    const sum = (of: (report: FollowReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
    return {
      opened: sum((report) => report.opened),
      broken: sum((report) => report.broken),
      trips: sum((report) => report.trips),
      ages: reports.flatMap(({ ages }) => ages),
    };
  } finally {
    for (const client of clients) client.end();
  }
}

class Client {
  readonly opened: Promise<void>;
  readonly report: Promise<FollowReport>;
  readonly #child: ChildProcess;

  constructor(order: FollowOrder) {
    this.#child = fork(new URL("follower-client.ts", import.meta.url), { serialization: "advanced" });
    const opened = Promise.withResolvers<void>();
    const report = Promise.withResolvers<FollowReport>();
    this.opened = opened.promise;
    this.report = report.promise;
    // Whoever waits for the other hears of it there.
    opened.promise.catch(() => {});
    report.promise.catch(() => {});
    this.#child.on("message", (message) => {
      const told = message as FollowMessage; // the program that was started says nothing else
      if (told.kind === "opened") opened.resolve();
      else report.resolve(told);
    });
    // Not when it exits: a long report may still be on its way then.
    this.#child.once("disconnect", () => {
      const error = new Error(`a client of the streams ended before its report`);
      opened.reject(error);
      report.reject(error);
    });
    this.#say({ kind: "open", order });
  }

  count(): void {
    this.#say({ kind: "count" });
  }

  end(): void {
    this.#child.kill();
  }

  #say(command: FollowCommand): void {
    this.#child.send(command);
  }
}
