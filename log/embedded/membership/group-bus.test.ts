import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { GroupBus } from "./group-bus.ts";
import { GroupCoordinator } from "./group-coordinator.ts";
import type { GroupNotice } from "./group-messages.ts";

test("members in several threads share a group, and when a thread dies, also the leader's, the others share anew", async () => {
  const channel = `group-bus-test-${process.pid}`;
  const bus = new GroupBus({ channel, threadId: 0, owner: true });
  bus.open();
  const heard = new Map<string, string>();
  const workers = new Map<string, Worker>();
  for (const memberId of ["a", "b", "c"]) {
    const worker = new Worker(new URL("../fixtures/group-worker.ts", import.meta.url), { workerData: { channel, memberId } });
    worker.on("message", (assignment: string) => heard.set(memberId, assignment));
    workers.set(memberId, worker);
    // One after the other, so that "a" leads.
    await vi.waitFor(() => expect(heard.get(memberId)).toContain(memberId), { timeout: 5000, interval: 2 });
  }
  await vi.waitFor(() => expect([...heard.values()]).toEqual(["3:a,b,c", "3:a,b,c", "3:a,b,c"]), { timeout: 5000, interval: 2 });
  const leader = workers.get("a") as Worker;
  const id = leader.threadId;
  await Promise.all([once(leader, "exit"), leader.terminate()]);
  bus.threadGone(id);
  await vi.waitFor(() => expect([heard.get("b"), heard.get("c")]).toEqual(["4:b,c", "4:b,c"]), { timeout: 5000, interval: 2 });
  await Promise.all([...workers.values()].map((worker) => worker.terminate()));
  bus.close();
});

function coordinator(): { readonly sent: GroupNotice[]; readonly groups: GroupCoordinator } {
  const sent: GroupNotice[] = [];
  return { sent, groups: new GroupCoordinator((notice) => sent.push(notice)) };
}

const member = (memberId: string, threadId = 1) => ({ group: "g", memberId, threadId });
const userData = new Uint8Array(0);

test("a member that joins while the leader assigns makes that assignment void", () => {
  const { sent, groups } = coordinator();
  groups.handle({ kind: "join", from: member("a"), userData });
  groups.handle({ kind: "join", from: member("b"), userData });
  groups.handle({ kind: "assign", from: member("a"), generation: 1, assignments: [] });
  expect(sent.map((notice) => `${notice.kind} ${notice.to.memberId}`)).toEqual(["lead a", "rebalance a"]);
  groups.handle({ kind: "join", from: member("a"), userData });
  groups.handle({ kind: "assign", from: member("a"), generation: 2, assignments: [] });
  expect(sent.slice(2).map((notice) => `${notice.kind} ${notice.to.memberId}`)).toEqual(["lead a", "assigned a", "assigned b"]);
});

test("a group waits for every member before it goes on, or for its end", () => {
  const { sent, groups } = coordinator();
  for (const [index, id] of ["a", "b"].entries()) groups.handle({ kind: "join", from: member(id, index), userData });
  groups.handle({ kind: "join", from: member("c", 2), userData });
  sent.length = 0;
  groups.handle({ kind: "leave", from: member("c", 2) });
  groups.handle({ kind: "leave", from: member("c", 2) });
  expect(sent).toEqual([]);
  groups.threadGone(0);
  expect(sent.map((notice) => `${notice.kind} ${notice.to.memberId}`)).toEqual(["lead b"]);
});

test("a member id that appears in another thread replaces the older one, which hears that it is lost", () => {
  const { sent, groups } = coordinator();
  groups.handle({ kind: "join", from: member("a", 1), userData });
  groups.handle({ kind: "join", from: member("a", 2), userData });
  expect(sent.map((notice) => `${notice.kind} ${notice.to.threadId}`)).toEqual(["lead 1", "lost 1", "lead 2"]);
  groups.handle({ kind: "leave", from: member("a", 1) });
  expect(sent).toHaveLength(3);
});
