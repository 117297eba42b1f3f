import { join } from "node:path";
import { expect, test } from "vitest";
import { replay } from "../replay.ts";
import { readTdrive, tdriveFile } from "./read-tdrive.ts";
import { createTdriveWorld } from "./tdrive-world.ts";

const file = tdriveFile(join("world", "fixtures", "tdrive")) ?? "";

test("every row goes out as it was recorded, between a taxi's first and last one, and the same row has the same id", () => {
  const rows = readTdrive(file);
  expect(rows).toHaveLength(17);
  const events = createTdriveWorld(rows).run(Infinity);
  const locations = events.flatMap(({ value }) => (value.type === "DriverLocation" ? [value] : []));
  expect(locations.map(({ driverId, recordedAt, position }) => [driverId, recordedAt, position.longitude, position.latitude])).toEqual(
    rows.map(({ taxiId, at, longitude, latitude }) => [`taxi-${taxiId}`, at, longitude, latitude]),
  );
  expect(new Set(locations.map(({ eventId }) => eventId)).size).toBe(16);
  expect(events.filter(({ value }) => value.type === "ShiftStarted").map(({ key }) => key)).toEqual(["taxi-7", "taxi-8"]);
  expect(events.at(-1)).toMatchObject({ key: "taxi-7", value: { type: "ShiftEnded" } });
  for (let i = 1; i < events.length; i++) expect(events[i]?.timestamp).toBeGreaterThanOrEqual(events[i - 1]?.timestamp ?? 0);
});

test("a part of the day begins and ends its shifts within it, and a world that comes back says no shift twice", () => {
  const [first] = readTdrive(file);
  const from = (first?.at ?? 0) + 10_000;
  const rows = readTdrive(file, { from, until: from + 10_000 });
  const events = createTdriveWorld(rows).run(Infinity);
  expect(events.map(({ value }) => value.type).filter((type) => type !== "DriverLocation")).toHaveLength(4);
  const known = new Set(events.map(({ value }) => value.eventId));
  expect(replay(createTdriveWorld(rows), { known, observed: [], lastLocations: new Map() }, { until: from + 60_000 })).toEqual([]);
});
