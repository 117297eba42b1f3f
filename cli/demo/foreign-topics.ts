/** A demo invents people: it does so on topics of its own, never among the records of others. */
import { CliError } from "../errors.ts";
import type { System } from "../system/open-system.ts";

const LOOK_MS = 500;
/** Beyond the session: a member that was killed is out of the group by then. */
const PATIENCE_MS = 5_000;

type DemoSystem = Pick<System, "log" | "topology" | "applicationId">;

/** Only on a log that others share. Throws CliError `USAGE` when the topics have records that this application never read. */
export async function refuseForeignTopics(
  { log, topology, applicationId }: DemoSystem,
  { hasRecords }: { readonly hasRecords: boolean },
): Promise<void> {
  if (log.capabilities.atomicRows || !hasRecords) return;
  for (const { sources } of topology.subtopologies)
    for (const { topic } of sources) {
      const config = await log.topics.describe(topic.name);
      const places = Array.from({ length: config?.partitions ?? 0 }, (_, partition) => ({ topic: topic.name, partition }));
      if ((await log.offsets.committed(applicationId, places)).some((each) => each !== undefined)) return;
    }
  throw new CliError(
    "USAGE",
    `the dispatch topics of this cluster hold records that ${applicationId} never read, and a demo would add invented people to them.\n` +
      "Give another cluster, or the application whose demo they are from: --application NAME",
  );
}

/**
 * Resolves when the group has no members: whoever was killed is one until its session is over. Throws CliError `THRESHOLD_MISSED`
 * when one stays: two demos would play the same people. `onWait` is told once.
 */
export async function untilAlone(
  { log, applicationId }: Pick<DemoSystem, "log" | "applicationId">,
  { sessionMs, onWait }: { readonly sessionMs: number; readonly onWait: () => void },
): Promise<void> {
  const until = performance.now() + sessionMs + PATIENCE_MS;
  for (let waits = 0; (await log.offsets.hasMembers?.(applicationId)) === true; waits++) {
    if (waits === 0) onWait();
    if (performance.now() > until)
      throw new CliError("THRESHOLD_MISSED", `${applicationId} has members that are alive: a demo or a run works there. Stop it first`);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}
