/** Says what is wrong with a finished run, from the log and the rows alone. */
import type { Disk } from "#disk";
import { RecordBatchCursor, type Log } from "#log";
import { topicSchemas, type Serdes } from "#schemas";
import { deadLetterTopic, openCommittedView, type Topology } from "#streams";
import type { DriverWhereabouts } from "#topologies";
import { addPresence, type DriverTraffic, type PresenceSum } from "./driver-traffic.ts";
import { APPLICATION_ID } from "./worker-messages.ts";

export interface FinishedRun {
  readonly disk: Disk;
  readonly log: Log;
  readonly topology: Topology;
  readonly serdes: Serdes;
  readonly traffic: DriverTraffic;
  readonly partitions: number;
}

/** `recent` of a driver's row keeps so many hashes. */
const NEWEST_MAX = 16;
const EXAMPLES_MAX = 5;

/** Empty when every location was consumed, accepted and told to matching exactly once. */
export async function checkRun(run: FinishedRun): Promise<readonly string[]> {
  return [...(await checkOffsets(run)), ...(await checkEmpty(run)), ...checkWhereabouts(run), ...(await checkPresence(run))];
}

async function checkOffsets({ log, partitions }: FinishedRun): Promise<string[]> {
  const wrong: string[] = [];
  for (const { topic } of [topicSchemas.driverLocations, topicSchemas.driverEvents]) {
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const committed = await log.offsets.committed(APPLICATION_ID, places);
    for (const [index, place] of places.entries()) {
      const end = await log.offsets.bound(place, "stable");
      const offset = committed[index]?.offset ?? 0;
      if (offset !== end) wrong.push(`${topic}/${place.partition}: committed up to ${offset} of ${end}`);
    }
  }
  return wrong;
}

async function checkEmpty({ log, partitions }: FinishedRun): Promise<string[]> {
  const wrong: string[] = [];
  for (const [topic, count] of [
    [topicSchemas.refusals.topic, partitions],
    [deadLetterTopic(APPLICATION_ID), 1],
  ] as const) {
    for (let partition = 0; partition < count; partition++) {
      const end = await log.offsets.bound({ topic, partition }, "stable");
      if (end > 0) wrong.push(`${topic}/${partition}: ${end} records`);
    }
  }
  return wrong;
}

/** The row of each driver is his last location, and has as many accepted ones behind it as were sent. */
function checkWhereabouts({ disk, topology, traffic }: FinishedRun): string[] {
  const view = openCommittedView({ topology, disk });
  const rows = view.range("driver-whereabouts", { limit: traffic.drivers + 1 });
  const wrong = rows.length === traffic.drivers ? [] : [`${rows.length} rows of ${traffic.drivers} drivers`];
  const byId = new Map(rows.map(({ key, value }) => [key, value as DriverWhereabouts])); // the store's values
  for (let driver = 0; driver < traffic.drivers && wrong.length < EXAMPLES_MAX; driver++) {
    const id = traffic.idOf(driver);
    const row = byId.get(id);
    const { latitude, longitude } = traffic.positionOf(driver);
    const last = row?.latitude === latitude && row.longitude === longitude && row.recordedAt === traffic.recordedAt(driver, traffic.steps);
    if (!last || row.duty !== "on" || row.fineCell !== traffic.fineCellOf(driver)) wrong.push(`${id}: not the last location`);
    else if (row.newestAt !== traffic.steps % NEWEST_MAX || row.newest.length !== Math.min(traffic.steps, NEWEST_MAX) * 4)
      wrong.push(`${id}: not ${traffic.steps} accepted locations`);
  }
  return wrong;
}

async function checkPresence({ log, serdes, traffic, partitions }: FinishedRun): Promise<string[]> {
  const { topic } = topicSchemas.matchingInput;
  const told: PresenceSum = { count: 0, hash: 0 };
  const cursor = new RecordBatchCursor();
  const reader = log.reader();
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await Promise.all(places.map((place) => log.offsets.bound(place, "stable")));
  reader.assign(places.map((place) => ({ ...place, offset: 0, outOfRange: "fail" as const })));
  while (places.some((place) => reader.position(place) < (ends[place.partition] ?? 0))) {
    const seen = log.version();
    const batches = reader.poll();
    if (batches.length === 0) await log.changed(seen);
    for (const batch of batches) {
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next()) {
        const value = serdes.matchingInput.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
        if (value.type === "DriverPresent") addPresence(told, value.driverId, value.at, value.cell, value.present);
      }
    }
  }
  await reader.close();
  const { presence } = traffic;
  if (told.count === presence.count && told.hash === presence.hash) return [];
  return [`matching was told ${told.count} presences (${told.hash}), expected ${presence.count} (${presence.hash})`];
}
