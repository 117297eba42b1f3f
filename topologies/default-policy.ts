/** What holds in a zone for which no policy was ever published. The one place of the application's defaults. */
import type { ZonePolicy } from "#schemas";

/** Key of the policy that holds wherever no other does. */
export const DEFAULT_ZONE = "default";

export const defaultPolicy: ZonePolicy = {
  type: "ZonePolicy",
  zone: DEFAULT_ZONE,
  policy: "nearest",
  version: 0,
  parameters: {},
  tickMs: 1_000,
  offerSeconds: 0,
  travelModel: "great-circle",
  // About 250 km² a cell: with this halo most drivers are present in one or two cells (four or five at resolution 6), and each
  // presence is a record for matching at every fifth location.
  dispatchResolution: 5,
  haloMetres: 3_000,
  attemptsMax: 10,
  deadlineMs: 2 * 60 * 60 * 1_000,
  backoffBaseMs: 1_000,
  backoffMaxMs: 60_000,
  locationTtlMs: 30_000,
  throttleMs: 3_000,
  // 250 km/h.
  speedMetresPerSecondMax: 70,
};
