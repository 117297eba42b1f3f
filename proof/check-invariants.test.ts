import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DriverAssigned } from "#schemas";
import { checkInvariants } from "./check-invariants.ts";
import type { ProofRecord } from "./history.ts";
import { City, cleanHistory } from "./testing/clean-history.ts";
import type { Topics } from "./testing/clean-history.ts";
import type { InvariantName } from "./verdict.ts";

const days = fc.array(fc.nat(0xffffff), { minLength: 20, maxLength: 150 });

async function violations(topics: Topics, quiescent = true): Promise<string[]> {
  const verdicts = await checkInvariants(topics, { quiescent });
  return verdicts.flatMap(({ invariant, violations: told }) => told.map((sentence) => `${invariant} ${sentence}`));
}

async function caughtBy(topics: Topics): Promise<InvariantName[]> {
  return (await checkInvariants(topics)).filter(({ ok }) => !ok).map(({ invariant }) => invariant);
}

test("a clean history passes, whole or cut short", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(days, fc.double({ min: 0, max: 1, noNaN: true }), async (numbers, part) => {
      const whole = cleanHistory(numbers);
      for (const { value } of [...whole.trips, ...whole.assignments, ...whole.jobUpdates])
        seen.add("state" in value ? value.state : value.type);
      for (const { value } of whole.refusals) seen.add(value.reason);
      expect(await violations(whole)).toEqual([]);
      expect(await violations(cleanHistory(numbers.slice(0, Math.floor(numbers.length * part))), false)).toEqual([]);
    }),
    { numRuns: 200, seed: 1 },
  );
  // The double does play every part.
  const states = ["open", "offered", "assigned", "atPickup", "pickedUp", "completed", "cancelled", "failed"];
  const others = ["AssignmentRevoked", "AssignmentFailed", "JobDropped", "ENDED", "NOT_YOURS", "DUPLICATE", "VERSION_OLD", "PICKED_UP"];
  expect([...states, ...others].filter((name) => !seen.has(name))).toEqual([]);
});

test("asynchronous sources are read like others", async () => {
  const topics = cleanHistory(Array.from({ length: 100 }, (_, i) => (i * 7_919_777) % 0xffffff));
  const verdicts = await checkInvariants({ ...topics, trips: slowly(topics.trips), jobUpdates: slowly(topics.jobUpdates) });
  expect(verdicts.map(({ invariant, ok }) => `${invariant} ${ok}`)).toEqual(
    ["D1", "D2", "D3", "D4", "D5", "life"].map((name) => `${name} true`),
  );
  expect(verdicts.find(({ invariant }) => invariant === "D3")?.checked).toBe(topics.trips.length);
});

test("a partition read out of order is refused", async () => {
  const topics = cleanHistory([0, 256]);
  await expect(checkInvariants({ ...topics, trips: topics.trips.toReversed() })).rejects.toThrow("read each partition once, in order");
});

describe("any record that matters is missed when it is gone, and noticed when it is there twice or in another's place", () => {
  const names = ["orders", "rides", "driverEvents", "refusals", "jobUpdates", "assignments", "trips", "bills"] as const;

  test.each(names)("dropped from %s", async (name) => {
    await everyMutation(name, (records, at) => (matters(records[at]) ? records.toSpliced(at, 1) : undefined));
  });

  test.each(names)("doubled in %s", async (name) => {
    await everyMutation(name, (records, at) => {
      const record = records[at];
      if (record === undefined) return undefined;
      const last = records.findLast(({ partition }) => partition === record.partition);
      return [...records, { ...record, offset: (last?.offset ?? 0) + 1 }];
    });
  });

  test.each(["orders", "jobUpdates", "assignments", "trips"] as const)("swapped with the next of its job in %s", async (name) => {
    await everyMutation(name, (records, at) => {
      const record = records[at];
      const next = records.findIndex((other, i) => i > at && jobOf(other) === jobOf(record));
      const other = records[next];
      if (record === undefined || other === undefined || JSON.stringify(record.value) === JSON.stringify(other.value)) return undefined;
      return records.with(at, { ...record, value: other.value }).with(next, { ...other, value: record.value });
    });
  });
});

describe("planted", () => {
  test("the day itself is clean", async () => {
    const topics = day();
    expect(topics.bills).toHaveLength(3);
    expect(await violations(topics)).toEqual([]);
  });

  test("D1: a second driver, a revocation from the wrong one, an end while a driver has it", async () => {
    expect(await caughtBy(change(day(), "assignments", assignedTo("d1", "j0"), { driverId: "d0" }))).toContain("D1");
    expect(await caughtBy(change(day(), "assignments", assignedTo("d1", "j0"), { attempt: 2 }))).toContain("D1");
    expect(await caughtBy(change(day(), "assignments", assignedTo("d1", "j1"), { type: "AssignmentRevoked", driverId: "d0" }))).toContain(
      "D1",
    );
    expect(await caughtBy(change(day(), "assignments", assignedTo("d1", "j1"), { type: "AssignmentFailed" }))).toContain("D1");
  });

  test("D1 names topic, partition and offset", async () => {
    const told = await violations(change(day(), "assignments", assignedTo("d1", "j0"), { driverId: "d0" }));
    expect(told[0]).toMatch(/^D1 dispatch\.assignments\.v1-0@\d+: DriverAssigned of job j0 gives it to driver d0 while driver d1 has it$/);
  });

  test("D2: more than the capacity, by presences and by announcement", async () => {
    const topics = day();
    const less = topics.matchingInput.map((record) => ({ ...record, value: { ...record.value, capacity: 1 } }));
    expect(await caughtBy({ ...topics, matchingInput: less })).toEqual(["D2"]);
    const { matchingInput: _, ...without } = topics;
    const announced = topics.driverEvents.map((record) => ({ ...record, value: { ...record.value, capacity: 1 } }));
    expect(await caughtBy({ ...without, driverEvents: announced } as unknown as Topics)).toEqual(["D2"]);
  });

  test("D2: two places at once, and a job that joins after the counter", async () => {
    const elsewhere = day();
    const trips = elsewhere.trips.map((record) => {
      const { content, jobId } = record.value;
      return jobId === "j1" && content !== null
        ? { ...record, value: { ...record.value, content: { ...content, placeId: "r9" } } }
        : record;
    });
    expect(await caughtBy({ ...elsewhere, trips })).toContain("D2");
    const late = day();
    const raised = late.assignments.map((record) =>
      record.value.jobId === "j1" && "driverVersion" in record.value
        ? { ...record, value: { ...record.value, driverVersion: record.value.driverVersion + 2, proposalId: "late" } }
        : record,
    );
    expect(await caughtBy({ ...late, assignments: raised })).toContain("D2");
  });

  test("D2: two proposals at one version", async () => {
    const topics = day();
    const other = topics.assignments.map((record) =>
      record.value.jobId === "j1" ? { ...record, value: { ...record.value, proposalId: "another" } } : record,
    );
    expect(await caughtBy({ ...topics, assignments: other })).toContain("D2");
  });

  test("D3: life after the end, a forbidden step, no end", async () => {
    expect(await caughtBy(change(day(), "trips", ({ state }) => state === "pickedUp", { state: "cancelled" }))).toContain("D3");
    expect(await caughtBy(change(day(), "trips", ({ state }) => state === "assigned", { state: "completed" }))).toContain("D3");
    const topics = day();
    const cut = { ...topics, trips: topics.trips.filter(({ value }) => value.state !== "completed"), bills: [] };
    expect(await caughtBy(cut)).toContain("D3");
    expect((await checkInvariants(cut, { quiescent: false })).find(({ invariant }) => invariant === "D3")?.ok).toBe(true);
  });

  test("D4: a cent too much, a wrong driver, a bill for nothing, a second and a missing one", async () => {
    expect(await caughtBy(change(day(), "bills", any, { driverMinor: 401 }))).toEqual(["D4"]);
    expect(await caughtBy(change(day(), "bills", any, { platformMinor: 99.5, driverMinor: 400.5 }))).toEqual(["D4"]);
    expect(await caughtBy(change(day(), "bills", any, { lines: [] }))).toEqual(["D4"]);
    expect(await caughtBy(change(day(), "bills", any, { driverId: "d9" }))).toEqual(["D4"]);
    expect(await caughtBy(change(day(), "bills", any, { jobId: "j7" }))).toEqual(["D4"]);
    const topics = day();
    expect(await caughtBy({ ...topics, bills: topics.bills.slice(1) })).toEqual(["D4"]);
    expect((await checkInvariants({ ...topics, bills: [] }, { quiescent: false })).every(({ ok }) => ok)).toBe(true);
  });

  test("D4: a ride billed at another fare than quoted, a surge that nobody told, one that the lines do not have", async () => {
    const rides = new Set(day().rides.map(({ value }) => value.rideId));
    expect(rides.size).toBe(1);
    const isRide = ({ jobId }: { readonly jobId: string }): boolean => rides.has(jobId);
    const dearer = { customerMinor: 600, platformMinor: 200, lines: [{ kind: "base", amountMinor: 600 }] };
    expect(await caughtBy(change(day(), "bills", isRide, dearer))).toEqual(["D4"]);
    expect(await caughtBy(change(day(), "bills", isRide, { surgeMilli: 1_500 }))).toEqual(["D4"]);
    const surged = (told: boolean, lines: readonly object[]): Topics => {
      const topics = day();
      const trips = topics.trips.map((record) =>
        isRide(record.value) ? { ...record, value: { ...record.value, surgeMilli: 1_500 } } : record,
      );
      // Asked for without a price.
      const asked = topics.rides.map((record) => ({ ...record, value: { ...record.value, quoteMinor: 0 } }));
      const news = { type: "SurgeChanged", cell: "c0", surgeMilli: 1_500, until: 1e15, at: 0 } as const;
      const partitions = [...new Set(topics.trips.map(({ partition }) => partition))];
      const updates = partitions.map((partition) => ({ partition, offset: 1_000_000, timestamp: 0, value: news }));
      const of = change({ ...topics, trips, rides: asked }, "bills", isRide, { surgeMilli: 1_500, lines });
      return told ? { ...of, jobUpdates: [...of.jobUpdates, ...updates] } : of;
    };
    expect(
      await caughtBy(
        surged(true, [
          { kind: "base", amountMinor: 334 },
          { kind: "surge", amountMinor: 166 },
        ]),
      ),
    ).toEqual(["D4"]);
    expect(
      await caughtBy(
        surged(true, [
          { kind: "base", amountMinor: 333 },
          { kind: "surge", amountMinor: 167 },
        ]),
      ),
    ).toEqual(["D4"]);
    const exact = [
      { kind: "base", amountMinor: 300 },
      { kind: "distance", amountMinor: 33 },
      { kind: "surge", amountMinor: 166 },
      { kind: "platform", amountMinor: 1 },
    ];
    expect(await caughtBy(surged(true, exact))).toEqual([]);
    expect(await caughtBy(surged(false, exact))).toEqual(["D4"]);
  });

  test("D5: a shift without effect, an action without effect, an effect without action", async () => {
    const shift = day();
    expect(
      await caughtBy({
        ...shift,
        matchingInput: shift.matchingInput.filter(({ value }) => value.type !== "DriverPresent" || value.driverVersion > 1),
      }),
    ).toEqual(["D5"]);
    expect(await caughtBy(change(day(), "driverEvents", ({ type }) => type === "PickedUp", { eventId: "e999" }))).toEqual(["D5"]);
    const refused = day();
    const { value, partition, offset } =
      refused.driverEvents.find(({ value: event }) => event.type === "PickedUp") ?? refused.driverEvents[0]!;
    const refusal = {
      entity: "driver",
      entityId: "d0",
      eventId: value.eventId,
      eventType: "PickedUp",
      reason: "NOT_YOURS",
      at: 0,
      event: "",
    } as const;
    const both = { type: "InputRefused", topic: "dispatch.driver-events.v1", partition, offset, ...refusal } as const;
    expect(await caughtBy({ ...refused, refusals: [{ partition: 0, offset: 0, timestamp: 0, value: both }] })).toEqual(["D5"]);
  });

  test("life: a trip nobody caused, an assignment that differs from its reservation", async () => {
    expect(await caughtBy(change(day(), "trips", ({ state }) => state === "open", { attempt: 1, content: null }))).toContain("life");
    expect(await caughtBy(change(day(), "assignments", assignedTo("d0", "j2"), { slackMs: 6 }))).toEqual(["life"]);
    expect(
      await caughtBy(change(day(), "jobUpdates", ({ type }) => type === "JobReserved", { orderVersion: 1, driverVersion: 40 })),
    ).toContain("life");
  });
});

const any = () => true;

async function* slowly<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

/** What happens without a shift's record looks the same. */
function matters(record: ProofRecord<unknown> | undefined): boolean {
  const type = (record?.value as { readonly type: string } | undefined)?.type;
  return record !== undefined && type !== "ShiftStarted" && type !== "ShiftEnded";
}

function jobOf(record: ProofRecord<unknown> | undefined): unknown {
  const value = record?.value as { readonly jobId?: string; readonly orderId?: string } | undefined;
  return value?.jobId ?? value?.orderId;
}

async function everyMutation(
  name: keyof Topics,
  mutate: (records: readonly ProofRecord<unknown>[], at: number) => readonly ProofRecord<unknown>[] | undefined,
): Promise<void> {
  let mutated = 0;
  await fc.assert(
    fc.asyncProperty(days, fc.nat(), async (numbers, number) => {
      const topics = cleanHistory(numbers);
      const records = topics[name] as readonly ProofRecord<unknown>[];
      const changed = records.length === 0 ? undefined : mutate(records, number % records.length);
      if (changed === undefined) return;
      mutated++;
      expect(await caughtBy({ ...topics, [name]: changed })).not.toEqual([]);
    }),
    // How many of the days have something to be changed depends on the seed: it is given, so that there are always enough.
    { numRuns: 150, seed: 1 },
  );
  expect(mutated).toBeGreaterThan(10);
}

/** Two orders of one place, delivered by d1 (capacity 2) as a bundle; a ride delivered by d0 (capacity 1). */
function day(): Topics {
  const city = new City();
  city.startShift("d0", 1);
  city.startShift("d1", 2);
  for (const kind of [1, 1, 0]) city.place(kind);
  const [d0, d1] = [city.drivers.get("d0"), city.drivers.get("d1")];
  if (d0 === undefined || d1 === undefined) throw new Error("no drivers");
  city.assign(d1, true, [...city.jobs.values()]);
  city.assign(d0, false, [...city.jobs.values()]);
  for (const driver of [d0, d1]) {
    for (const choice of [17, 16, 17, 17]) for (const hold of driver.holds.slice()) city.act(driver, hold, choice);
  }
  return city.topics;
}

function change<Name extends keyof Topics>(
  topics: Topics,
  name: Name,
  which: (value: Topics[Name][number]["value"]) => boolean,
  fields: object,
): Topics {
  const records = topics[name] as ProofRecord<Topics[Name][number]["value"]>[];
  const at = records.findIndex(({ value }) => which(value));
  const record = records[at];
  if (record === undefined) throw new Error(`nothing to change in ${name}`);
  return { ...topics, [name]: records.with(at, { ...record, value: { ...record.value, ...fields } }) };
}

const assignedTo = (driverId: string, jobId: string) => (value: { readonly type: string; readonly jobId: string }) =>
  value.type === "DriverAssigned" && value.jobId === jobId && (value as DriverAssigned).driverId === driverId;
