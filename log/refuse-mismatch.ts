/** What `ensure` says of every log to a topic that is there otherwise. */
import { LogError } from "./errors.ts";
import type { TopicConfig } from "./log.ts";

/** Throws LogError `TOPIC_MISMATCH` for fewer than one partition, and where another count or cleanup was found. */
export function refuseMismatch(wanted: TopicConfig, found: TopicConfig | undefined): void {
  if (!Number.isInteger(wanted.partitions) || wanted.partitions < 1)
    throw new LogError("TOPIC_MISMATCH", `Topic ${wanted.name} is asked for with ${wanted.partitions} partitions. Ask for at least one.`, {
      topic: wanted.name,
    });
  if (found === undefined || (found.partitions === wanted.partitions && found.cleanup === wanted.cleanup)) return;
  throw new LogError(
    "TOPIC_MISMATCH",
    `Topic ${wanted.name} has ${found.partitions} partitions and cleanup ${found.cleanup}, but ${wanted.partitions} and ${wanted.cleanup} are asked for. ` +
      "Ask for what is there, or use another topic name.",
    { topic: wanted.name },
  );
}
