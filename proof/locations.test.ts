import { describe, expect, test } from "vitest";
import type { DriverLocation, RefusalReason } from "#schemas";
import { topicNames } from "./history.ts";
import { LocationsCheck } from "./locations.ts";

const rules = { locationTtlMs: 30_000, throttleMs: 3_000, speedMetresPerSecondMax: 70 };
const berlin = { latitude: 52.52, longitude: 13.405 };
const START = 1_000_000;

interface Sent extends Partial<DriverLocation> {
  /** After the start of the shift, the record's time; also `recordedAt` where nothing else is said. */
  readonly at: number;
  readonly refused?: RefusalReason;
}

/** A driver whose shift begins at 0 in Berlin and ends at 100 s, and what he sends. */
function complaints(...sent: readonly Sent[]): readonly string[] {
  const found: string[] = [];
  const check = new LocationsCheck(rules, (_, { offset }, sentence) => found.push(`${offset}: ${sentence}`));
  const refusal = {
    type: "InputRefused",
    entity: "driver",
    entityId: "d",
    eventId: "",
    eventType: "",
    event: "",
    at: 0,
    partition: 0,
  } as const;
  sent.forEach(({ refused: reason }, offset) => {
    if (reason === undefined) return;
    const value = { ...refusal, topic: topicNames.driverLocations, offset, reason };
    check.addRefusal({ partition: 0, offset: 0, timestamp: 0, value });
  });
  const base = { eventId: "s", driverId: "d", occurredAt: START };
  const started = { ...base, type: "ShiftStarted", position: berlin, vehicle: "car", tags: [], capacity: 1, endsAt: null } as const;
  check.addDriverEvent({ partition: 0, offset: 0, timestamp: START, value: started });
  check.addDriverEvent({ partition: 0, offset: 1, timestamp: START + 100_000, value: { ...base, type: "ShiftEnded" } });
  sent.forEach(({ at, ...changes }, offset) => {
    const timestamp = START + at;
    const still = { type: "DriverLocation", driverId: "d", position: berlin, accuracyMetres: 5, speed: 0, heading: 0 } as const;
    check.add({ partition: 0, offset, timestamp, value: { ...still, eventId: `l${offset}`, recordedAt: timestamp, ...changes } });
  });
  return found;
}

describe("a location", () => {
  const away = { latitude: 52.53, longitude: 13.405 };

  test("is judged right when it was judged right", () => {
    const fine = complaints(
      { at: 5_000 },
      { at: 5_000, eventId: "l0", refused: "DUPLICATE" },
      { at: 5_000, refused: "OUT_OF_ORDER" },
      { at: 6_000, refused: "THROTTLED" },
      { at: 8_000 },
      { at: 40_000, recordedAt: START + 9_000, refused: "STALE" },
      { at: 12_000, position: away, refused: "IMPOSSIBLE" },
      { at: 13_000, recordedAt: START + 80_000, refused: "IMPOSSIBLE" },
      { at: 30_000, position: away },
      { at: 101_000, refused: "OFF_DUTY" },
    );
    expect(fine).toEqual([]);
  });

  test.each([
    ["lost without a reason", { at: 5_000, refused: "THROTTLED" }],
    ["called too old", { at: 5_000, refused: "STALE" }],
    ["called too late", { at: 5_000, refused: "OUT_OF_ORDER" }],
    ["called impossible", { at: 5_000, refused: "IMPOSSIBLE" }],
    ["called known", { at: 5_000, refused: "DUPLICATE" }],
    ["called off duty", { at: 5_000, refused: "OFF_DUTY" }],
    ["refused for what no location is", { at: 5_000, refused: "NOT_YOURS" }],
    ["accepted too soon", { at: 2_000 }],
    ["accepted from before", { at: 5_000, recordedAt: START }],
    ["accepted too old", { at: 50_000, recordedAt: START + 5_000 }],
    ["accepted from nowhere near", { at: 5_000, position: away }],
  ] as const)("%s is found", (_, sent) => {
    expect(complaints(sent)).toHaveLength(1);
  });

  test("accepted a second time is found", () => {
    expect(complaints({ at: 5_000 }, { at: 10_000, eventId: "l0" })).toHaveLength(1);
  });

  test("of nobody who ever began a shift, if accepted, is found", () => {
    expect(complaints({ at: -5_000 })).toHaveLength(1);
  });
});
