import * as fc from "fast-check";
import { expect, test } from "vitest";
import { balance } from "./balance.ts";
import type { GroupTopology, MemberState } from "./group-contract.ts";
import { GroupView } from "./group-view.ts";

/** The most that can stay, by trying all ways to say who has one more. */
function mostThatStays(owned: readonly (readonly number[])[], partitions: readonly number[]): number {
  const members = owned[0]?.length ?? 0;
  const total = partitions.reduce((sum, count) => sum + (count % members), 0);
  const [least, most] = [Math.floor(total / members), Math.ceil(total / members)];
  let best = -1;
  const extras: number[] = Array.from({ length: members }, () => 0);
  const tryFrom = (subtopology: number, kept: number): void => {
    if (subtopology === partitions.length) {
      if (extras.every((count) => count >= least && count <= most)) best = Math.max(best, kept);
      return;
    }
    const floor = Math.floor((partitions[subtopology] ?? 0) / members);
    for (let chosen = 0; chosen < 1 << members; chosen++) {
      const has = (member: number): number => (chosen >> member) & 1;
      if (extras.reduce((sum, _, member) => sum + has(member), 0) !== (partitions[subtopology] ?? 0) % members) continue;
      extras.forEach((_, member) => (extras[member] = (extras[member] ?? 0) + has(member)));
      const here = extras.reduce((sum, _, member) => sum + Math.min(owned[subtopology]?.[member] ?? 0, floor + has(member)), 0);
      tryFrom(subtopology + 1, kept + here);
      extras.forEach((_, member) => (extras[member] = (extras[member] ?? 0) - has(member)));
    }
  };
  tryFrom(0, 0);
  return best;
}

test("moves no task more than balance asks for, compared with every other way to balance", () => {
  const scene = fc
    .record({
      members: fc.integer({ min: 1, max: 4 }),
      partitions: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
    })
    .chain(({ members, partitions }) => {
      const tasks = partitions.reduce((sum, count) => sum + count, 0);
      const owners = fc.array(fc.integer({ min: -1, max: members - 1 }), { minLength: tasks, maxLength: tasks });
      return fc.record({ members: fc.constant(members), partitions: fc.constant(partitions), owners });
    });
  fc.assert(
    fc.property(scene, ({ members, partitions, owners }) => {
      const topology: GroupTopology = {
        fingerprint: 0,
        subtopologies: partitions.map((count) => ({ partitions: count, stateful: false })),
      };
      const ids = partitions.flatMap((count, subtopology) => Array.from({ length: count }, (_, partition) => ({ subtopology, partition })));
      const states = Array.from({ length: members }, (_, member): MemberState => {
        const active = ids.filter((_, task) => owners[task] === member);
        const facts = { endpoint: undefined, fingerprint: 0, generation: 1, standby: [], positions: [], stops: false };
        return { memberId: `m${member}`, instanceId: `m${member}`, active, ...facts };
      });
      const targets = balance(new GroupView(states, topology), 0);
      const counts = (subtopology: number): number[] =>
        states.map((_, member) => ids.filter((id, task) => id.subtopology === subtopology && targets[task] === member).length);
      const perSubtopology = partitions.map((_, subtopology) => counts(subtopology));
      const all = states.map((_, member) => perSubtopology.reduce((sum, each) => sum + (each[member] ?? 0), 0));
      for (const each of [...perSubtopology, all]) expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(1);
      expect(all.reduce((sum, count) => sum + count, 0)).toBe(ids.length);
      const owned = partitions.map((_, subtopology) =>
        states.map((_, member) => ids.filter((id, task) => id.subtopology === subtopology && owners[task] === member).length),
      );
      const stayed = owners.filter((owner, task) => owner >= 0 && targets[task] === owner).length;
      expect(stayed).toBe(mostThatStays(owned, partitions));
    }),
    { numRuns: 300 },
  );
});
