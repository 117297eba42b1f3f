/** Producers say things again after a crash: whatever they said, it was done at most once, and every other time refused. */
import type { ProofRecord } from "#proof";
import type { System } from "../system/open-system.ts";
import { Comparison, type ComparisonVerdict } from "./comparison.ts";
import { readTopic } from "./read-topic.ts";
import { committedPositions } from "./state-fold.ts";

export interface EventsVerdict extends ComparisonVerdict {
  /** Records that say an event again. */
  readonly saidAgain: number;
}

type Said = ProofRecord<{ readonly eventId: string }>;

/**
 * Over all input records that the application has processed: of those with one eventId, at most one was not refused.
 * Whether it had an effect is D5's question.
 */
export async function checkEvents(system: Pick<System, "log" | "topics">): Promise<EventsVerdict> {
  const { log, topics } = system;
  const findings = new Comparison();
  const refused = new Set<string>();
  for await (const { value } of readTopic(log, topics.refusals)) {
    const place = `${value.topic}-${value.partition}@${value.offset}`;
    if (refused.has(place)) findings.violated(`${place} (${value.eventId}) was refused twice`);
    refused.add(place);
  }
  let saidAgain = 0;
  const inputs: readonly (readonly [topic: string, records: AsyncIterable<Said>])[] = [
    [topics.orders.name, readTopic(log, topics.orders)],
    [topics.rides.name, readTopic(log, topics.rides)],
    [topics.driverEvents.name, readTopic(log, topics.driverEvents)],
    [topics.driverLocations.name, readTopic(log, topics.driverLocations)],
  ];
  for (const [topic, records] of inputs) {
    const positions = await committedPositions(system, topic);
    const done = new Map<string, boolean>();
    for await (const { partition, offset, value } of records) {
      if (offset >= (positions[partition] ?? 0)) continue;
      findings.checked();
      const place = `${topic}-${partition}@${offset}`;
      const before = done.get(value.eventId);
      if (before !== undefined) saidAgain++;
      const takenNow = !refused.has(place);
      if (before === true && takenNow) findings.violated(`${place}: ${value.eventId} was done a second time`);
      done.set(value.eventId, before === true || takenNow);
    }
  }
  return { ...findings.verdict(), saidAgain };
}
