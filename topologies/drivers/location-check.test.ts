import { describe, expect, test } from "vitest";
import type { DriverLocation } from "#schemas";
import { h3Geography } from "../h3-geography.ts";
import { point } from "../testing/samples.ts";
import { checkLocation, CLOCK_LEAD_MS_MAX } from "./location-check.ts";
import type { LocationSettings } from "./location-check.ts";
import { unknownDriver } from "./driver.ts";
import type { DriverWhereabouts } from "./driver.ts";
import { filterOf, NEWEST_MAX } from "./recent-locations.ts";

const geography = h3Geography();
let h3Calls = 0;
let olderAsked = 0;
const settings: LocationSettings = {
  locationTtlMs: 30_000,
  throttleMs: 3_000,
  speedMetresPerSecondMax: 70,
  zoneEpoch: 4,
  metresBetween: (a, b) => geography.metresBetween(a, b),
  surelyIn: (cell, at) => geography.surelyIn(cell, at),
  fineCellOf: (at) => {
    h3Calls++;
    return geography.fineCellOf(at);
  },
  isOlder: () => {
    olderAsked++;
    return true;
  },
};
const berlin = point(52.52, 13.405);
const start: DriverWhereabouts = {
  ...unknownDriver("d0").whereabouts,
  duty: "on",
  ...berlin,
  recordedAt: 100_000,
  seenAt: 100_000,
  fineCell: geography.fineCellOf(berlin),
};
let ids = 0;
const location = (changes: Partial<DriverLocation> = {}): DriverLocation => ({
  type: "DriverLocation",
  eventId: `l${++ids}`,
  driverId: "d0",
  position: berlin,
  accuracyMetres: 5,
  speed: 0,
  heading: 0,
  recordedAt: 105_000,
  ...changes,
});
const check = (before: DriverWhereabouts, given: DriverLocation, at = given.recordedAt) => checkLocation(before, given, at, settings);
const accepted = (result: ReturnType<typeof check>): DriverWhereabouts => {
  if (typeof result === "string") throw new Error(result);
  return result;
};

describe("a location", () => {
  test("is accepted with position, times and the zones' epoch", () => {
    const after = accepted(check(start, location({ position: point(52.521, 13.405) }), 105_200));
    expect(after).toMatchObject({ latitude: 52.521, recordedAt: 105_000, seenAt: 105_200, zoneEpoch: 4, duty: "on" });
  });
  test("is refused with its reason", () => {
    expect(check(start, location({ recordedAt: 100_000 }))).toBe("OUT_OF_ORDER");
    expect(check(start, location({ recordedAt: 99_000 }))).toBe("OUT_OF_ORDER");
    expect(check(start, location({ recordedAt: 102_999 }))).toBe("THROTTLED");
    expect(check(start, location(), 135_001)).toBe("STALE");
    expect(check(start, location({ position: point(52.53, 13.405) }))).toBe("IMPOSSIBLE");
    expect(check(start, location({ recordedAt: 100_000 + CLOCK_LEAD_MS_MAX + 1 }), 100_000)).toBe("IMPOSSIBLE");
    expect(check({ ...start, duty: "off" }, location())).toBe("OFF_DUTY");
    expect(check(unknownDriver("d0").whereabouts, location())).toBe("OFF_DUTY");
  });
  test("is believed wherever it is once its driver fell silent, so that one false position does not silence him for ever", () => {
    const far = location({ position: point(53.5, 13.405), recordedAt: 140_000 });
    expect(check(start, far)).toBe("IMPOSSIBLE");
    expect(accepted(check({ ...start, duty: "silent" }, far)).latitude).toBe(53.5);
  });
  test("of a driver off duty with goods on board is accepted", () => {
    expect(accepted(check({ ...start, duty: "off", tracked: true }, location())).recordedAt).toBe(105_000);
  });
  test("is a duplicate by its event id among the last sixteen accepted, whatever its time, and asks for older ones only then", () => {
    const first = location();
    let state = accepted(check(start, first));
    expect(check(state, first)).toBe("DUPLICATE");
    expect(check(state, { ...first, recordedAt: 200_000 })).toBe("DUPLICATE");
    for (let i = 1; i < NEWEST_MAX; i++) state = accepted(check(state, location({ recordedAt: 105_000 + i * 5_000 })));
    expect(state.newest).toHaveLength(4 * NEWEST_MAX);
    expect(state.newestAt).toBe(0);
    expect(check(state, first)).toBe("DUPLICATE");
    const before = state.newest;
    const copy = Buffer.from(before);
    state = accepted(check(state, location({ recordedAt: 900_000 })));
    expect(before.equals(copy)).toBe(true);
    expect(olderAsked).toBe(0);
    const filtered = { ...state, older: filterOf(copy) };
    expect(check(filtered, { ...first, recordedAt: 990_000 })).toBe("DUPLICATE");
    expect(olderAsked).toBe(1);
    expect(check(state, first)).toBe("OUT_OF_ORDER");
  });
  test("inside the inscribed circle of the last fine cell makes no H3 call, outside exactly one", () => {
    const centre = geography.centreOf(start.fineCell);
    h3Calls = 0;
    const near = accepted(check(start, location({ position: point(centre.latitude + 0.0005, centre.longitude) })));
    expect(h3Calls).toBe(0);
    expect(near.fineCell).toBe(start.fineCell);
    const far = accepted(check(start, location({ position: point(centre.latitude + 0.003, centre.longitude), recordedAt: 109_000 })));
    expect(h3Calls).toBe(1);
    expect(far.fineCell).not.toBe(start.fineCell);
  });
});
