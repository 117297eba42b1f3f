/** Tells all instances of an application to stop: a member that wants no tasks joins, and the leader passes it on to everybody. */
import type { Log } from "#log";
import type { Topology } from "../dsl/builder.ts";
import type { HostClock } from "../runtime/defaults.ts";
import { assignorOf } from "./group-thread.ts";
import { ANNOUNCEMENT_LOOK_MS, ANNOUNCEMENT_MS_MAX, ANNOUNCEMENT_QUIET_MS, ASSIGNOR_SETTINGS } from "./defaults.ts";
import { groupTopologyOf } from "./fingerprint.ts";
import { encodeUserData } from "./group-bytes.ts";

export interface StopAnnouncementOptions {
  readonly log: Log;
  readonly topology: Topology;
  readonly applicationId: string;
  readonly instanceId: string;
  readonly clock: HostClock;
}

/**
 * Resolves when nobody has come or gone for 2 s since the group heard of it, or after 30 s. Leaving at once would begin a generation
 * that says nothing of it, and who had not looked at the one before would never know.
 */
export async function announceStop({ log, topology, applicationId, instanceId, clock }: StopAnnouncementOptions): Promise<void> {
  const shape = groupTopologyOf(topology);
  const facts = { endpoint: undefined, fingerprint: shape.fingerprint, generation: -1, active: [], standby: [], positions: [] };
  const membership = log.membership({
    group: applicationId,
    memberId: `${instanceId}-stop`,
    topics: [],
    userData: () => encodeUserData({ instanceId, ...facts, stops: true }),
    assign: assignorOf(topology, ASSIGNOR_SETTINGS),
  });
  const until = clock.now() + ANNOUNCEMENT_MS_MAX;
  try {
    await membership.join();
    let quietUntil = until;
    while (clock.now() < Math.min(until, quietUntil)) {
      const event = membership.poll();
      if (event !== undefined) quietUntil = event.kind === "assigned" ? clock.now() + ANNOUNCEMENT_QUIET_MS : until;
      if (event !== undefined && event.kind !== "assigned") await membership.rejoin();
      const version = log.version();
      await clock.sleep(ANNOUNCEMENT_LOOK_MS, log.changed(version));
    }
  } finally {
    await membership.leave();
  }
}
