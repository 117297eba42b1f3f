/** What a reset would do, then the doing: an application begins anew with the inputs that are still there. */
import type { Log, TopicPartition } from "#log";
import { topicConfigs, type Topology } from "#streams";
import { readRecords } from "../system/read-records.ts";

export interface ResetPlan {
  /** Where reading begins again. */
  readonly offsets: readonly (TopicPartition & { readonly from: number | undefined; readonly to: number })[];
  /** Records of the protocol between subtopologies, deleted up to the end. */
  readonly emptied: readonly (TopicPartition & { readonly records: number })[];
  /** State: each key is deleted. */
  readonly changelogs: readonly (TopicPartition & { readonly records: number })[];
}

export interface ResetOptions {
  readonly log: Log;
  readonly topology: Topology;
  readonly application: string;
}

const KEYS_PER_FLUSH = 10_000;

/** Only looks. Rejects as the log does; topics that are not there are left out. */
export async function planReset({ log, topology, application }: ResetOptions): Promise<ResetPlan> {
  const offsets: ResetPlan["offsets"][number][] = [];
  const emptied: ResetPlan["emptied"][number][] = [];
  for (const { sources } of topology.subtopologies) {
    for (const { topic } of sources) {
      const places = await placesOf(log, topic.name);
      const committed = await log.offsets.committed(application, places);
      for (const [index, place] of places.entries()) {
        const [start, end] = [await log.offsets.bound(place, "start"), await log.offsets.bound(place, "high-watermark")];
        const isProtocol = topic.purgeCommittedAfterMs !== undefined;
        offsets.push({ ...place, from: committed[index]?.offset, to: isProtocol ? end : start });
        if (isProtocol) emptied.push({ ...place, records: end - start });
      }
    }
  }
  const changelogs: ResetPlan["changelogs"][number][] = [];
  for (const { name } of changelogTopics(topology, application)) {
    for (const place of await placesOf(log, name)) {
      const records = (await log.offsets.bound(place, "high-watermark")) - (await log.offsets.bound(place, "start"));
      changelogs.push({ ...place, records });
    }
  }
  return { offsets, emptied, changelogs };
}

/** The group must have no members. Repeatable: what was interrupted is done again. */
export async function carryOutReset({ log, application }: ResetOptions, plan: ResetPlan): Promise<void> {
  for (const { topic, partition } of plan.changelogs) await deleteKeys(log, { topic, partition });
  for (const { topic, partition } of plan.emptied)
    await log.topics.deleteRecords({ topic, partition }, await log.offsets.bound({ topic, partition }, "high-watermark"));
  const writer = log.writer({ group: application, transactionalId: `${application}-reset` });
  try {
    await writer.initialize();
    await writer.commit({
      offsets: plan.offsets.map(({ topic, partition, to }) => ({ topic, partition, offset: to, metadata: "" })),
      rows: [],
    });
  } finally {
    await writer.close();
  }
}

/** Whoever restores from it, or follows it from an older position, ends with nothing. */
async function deleteKeys(log: Log, place: TopicPartition): Promise<void> {
  const keys = new Map<string, boolean>();
  for await (const { cursor } of readRecords(log, [place])) {
    const key = cursor.key();
    if (key !== null) keys.set(key.toString("latin1"), cursor.valueStart >= 0);
  }
  const producer = log.producer();
  try {
    let appended = 0;
    for (const [key, isSet] of keys) {
      if (!isSet) continue;
      producer.append(place.topic, place.partition, Date.now(), Buffer.from(key, "latin1"), null);
      if (++appended % KEYS_PER_FLUSH === 0) await producer.flush();
    }
    await producer.flush();
  } finally {
    await producer.close();
  }
}

/** What a log without rows of its own has beyond one with them. */
function changelogTopics(topology: Topology, application: string): readonly { readonly name: string }[] {
  const others = new Set(topicConfigs(topology, application).map(({ name }) => name));
  return topicConfigs(topology, application, { atomicRows: false }).filter(({ name }) => !others.has(name));
}

async function placesOf(log: Log, topic: string): Promise<readonly TopicPartition[]> {
  const config = await log.topics.describe(topic);
  return Array.from({ length: config?.partitions ?? 0 }, (_, partition) => ({ topic, partition }));
}
