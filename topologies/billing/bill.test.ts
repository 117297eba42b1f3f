import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { TripChanged } from "#schemas";
import { contentSample } from "../testing/samples.ts";
import { billFor } from "./bill.ts";

const trip = (changes: Partial<TripChanged> = {}): TripChanged => ({
  type: "TripChanged",
  jobId: "j0",
  jobVersion: 5,
  attempt: 2,
  state: "completed",
  driverId: "d0",
  driverVersion: 7,
  reason: "droppedOff",
  at: 9_000,
  content: contentSample(),
  surgeMilli: 1_000,
  ...changes,
});

test("an order: goods to the merchant, fee by distance, driver by distance, the rest to the platform", () => {
  expect(billFor(trip(), 3_000)).toEqual({
    type: "JobBilled",
    jobId: "j0",
    driverId: "d0",
    attempt: 2,
    currency: "EUR",
    customerMinor: 1_430,
    driverMinor: 335,
    platformMinor: 95,
    merchantMinor: 1_000,
    lines: [
      { kind: "goods", amountMinor: 1_000 },
      { kind: "base", amountMinor: 250 },
      { kind: "distance", amountMinor: 180 },
    ],
    surgeMilli: 1_000,
    at: 9_000,
  });
});

test("a ride: the quote, or base and distance where there was none", () => {
  const quoted = contentSample({ kind: "ride", placeId: "", priceMinor: 1_234 });
  expect(billFor(trip({ content: quoted }), 3_000)).toMatchObject({ customerMinor: 1_234, driverMinor: 925, merchantMinor: 0 });
  expect(billFor(trip({ content: { ...quoted, priceMinor: 0 } }), 3_000)).toMatchObject({ customerMinor: 690, driverMinor: 517 });
});

test("whole minor units that add up exactly, and nobody pays to work (D4)", () => {
  const kinds = fc.constantFrom("order" as const, "ride" as const);
  fc.assert(
    fc.property(kinds, fc.nat(1_000_000), fc.double({ min: 0, max: 200_000, noNaN: true }), (kind, priceMinor, metres) => {
      const bill = billFor(trip({ content: contentSample({ kind, priceMinor }) }), metres);
      if (bill === undefined) throw new Error("no bill");
      const parts = [bill.driverMinor, bill.platformMinor, bill.merchantMinor];
      expect(bill.customerMinor).toBe(parts.reduce((sum, part) => sum + part, 0));
      expect(bill.customerMinor).toBe(bill.lines.reduce((sum, line) => sum + line.amountMinor, 0));
      for (const part of [bill.customerMinor, ...parts]) expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
    }),
  );
});

test("no bill for a trip that is not completed", () => {
  for (const state of ["open", "assigned", "pickedUp", "cancelled", "failed"] as const) expect(billFor(trip({ state }), 1)).toBeUndefined();
});
