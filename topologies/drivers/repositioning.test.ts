import { expect, test } from "vitest";
import type { DriverRepositioned } from "#schemas";
import { driverContext, holding, onDuty } from "../testing/samples.ts";
import { decideDriver } from "./driver-table.ts";
import { unknownDriver } from "./driver.ts";
import type { DriverState } from "./driver.ts";

function asked(driverVersion: number): DriverRepositioned {
  const to = { latitude: 1, longitude: 2 };
  const base = { type: "DriverRepositioned", driverId: "d0", cell: "c0", driverVersion } as const;
  return { ...base, placeId: "r1", to, arrivesAt: 9_000, policy: "open-plan", at: 1_000 };
}

const told = (state: DriverState, record: DriverRepositioned) => decideDriver(state, record, driverContext({ at: 1_000 }));

test("a driver without work is told where to wait, and nothing of his plan changes", () => {
  const state = onDuty();
  const record = asked(state.plan.version);
  const decision = told(state, record);
  expect(decision.outputs).toEqual([{ to: "moves", record }]);
  expect(decision.state).toBe(state);
});

test("who has work, has changed since, or is not on duty stays where he is", () => {
  for (const state of [holding("held"), holding("offered", { offerUntil: 5_000 }), holding("pickedUp"), unknownDriver("d0")])
    expect(told(state, asked(state.plan.version)).outputs).toEqual([]);
  expect(told(onDuty(), asked(onDuty().plan.version - 1)).outputs).toEqual([]);
});
