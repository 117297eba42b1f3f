/**
 * D6's other half: a recorded matching input, given to the matching subtopology alone, must lead to the same proposals. Ticks
 * are part of the record; the clock stands still, so that no punctuation makes another.
 */
import type { Log } from "#log";
import type { RawRecord } from "#proof";
import type { ZonePolicy } from "#schemas";
import { createStreamThread, silentLogger, splitTasks, STREAM_THREAD_DEFAULTS, topicConfigs, type StreamThread } from "#streams";
import type { DispatchTopics } from "#topologies";
import { readRawTopics, type RawTopics } from "../proof/read-raw.ts";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import { openSystem, type System } from "../system/open-system.ts";

export interface ReplayMatchingOptions {
  /** Of the recorded run; only its matching input is used. */
  readonly recorded: RawTopics;
  readonly partitions: number;
  /** In force in the recorded run where none was published. */
  readonly policy: ZonePolicy;
}

/** What came out of matching: everything in `driver-commands` of a run in which nobody else wrote it. */
export async function replayMatching({ recorded, partitions, policy }: ReplayMatchingOptions): Promise<readonly RawRecord[]> {
  await using system = await openSystem({ directory: "", kind: "memory", durability: "process", partitions, policy });
  const { log, topology, topics } = system;
  await log.topics.ensure(topicConfigs(topology, APPLICATION_ID));
  const input = recorded.get(topics.matchingInput.name) ?? [];
  await preload(log, topics.matchingInput.name, input);
  // Later than all of it: nothing is ahead of the clock.
  const now = input.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
  const thread = matchingThread(system);
  await runToTheEnd(thread, now);
  return (await readRawTopics(log)).get(topics.driverCommands.name) ?? [];
}

/** The part of a run's driver commands that matching wrote. */
export function proposalsOf(recorded: RawTopics, { driverCommands }: Pick<DispatchTopics, "driverCommands">): readonly RawRecord[] {
  return (recorded.get(driverCommands.name) ?? []).filter(({ value }) => {
    if (value === null) return false;
    const bytes = Buffer.from(value);
    const { type } = driverCommands.value.decode(bytes, 0, bytes.length);
    return type === "JobsProposed" || type === "DriverRepositioned";
  });
}

async function preload(log: Log, topic: string, records: readonly RawRecord[]): Promise<void> {
  const producer = log.producer();
  for (const { partition, timestamp, key, value, headers } of records)
    producer.append(topic, partition, timestamp, key, value, headers ?? []);
  await producer.flush();
  await producer.close();
}

function matchingThread({ topology, topics, log, disk }: System): StreamThread {
  const matching = topology.subtopologies.find(({ sources }) => sources.some(({ topic }) => topic.name === topics.matchingInput.name));
  const tasks = splitTasks(topology, 1).flatMap((assignment) => assignment.tasks.filter((task) => task.subtopology === matching?.index));
  return createStreamThread({
    config: { ...STREAM_THREAD_DEFAULTS, applicationId: APPLICATION_ID, instanceId: "replay", thread: 0 },
    dependencies: { topology, log, disk, stepClock: () => 0, logger: silentLogger },
    assignment: { generation: 0, tasks },
  });
}

async function runToTheEnd(thread: StreamThread, now: number): Promise<void> {
  for (;;) {
    const { worked, pending } = thread.step(now);
    if (thread.state === "failed") throw thread.error ?? new Error("the matching thread failed");
    if (pending) await thread.settled();
    if (!worked && !pending) break;
  }
  // Commits what the standing clock never found due.
  await thread.stop();
  if (thread.error !== undefined) throw thread.error;
}
