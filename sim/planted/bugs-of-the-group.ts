/** Bugs that an assignor may have, planted between it and what members say of themselves. */
import type { Log, MembershipOptions } from "#log";
import { decodeUserData, encodeUserData } from "#streams/testing";
import { changed } from "./planted.ts";
import type { PlantedBug } from "./planted.ts";

export const groupBugs: readonly PlantedBug[] = [
  {
    name: "a task is handed over within one generation",
    plant: () => ({ wrapLog: withoutClaims }),
  },
];

/** The assignor does not hear who runs what: it gives each task away at once, while its owner still has to commit. */
function withoutClaims(log: Log): Log {
  return changed(log, {
    membership: (options: MembershipOptions) =>
      log.membership({
        ...options,
        assign: (members) =>
          options.assign(
            members.map(({ memberId, userData }) => ({
              memberId,
              userData: encodeUserData({ ...decodeUserData(memberId, userData), active: [], standby: [] }),
            })),
          ),
      }),
  });
}
