import { dispatchBugs } from "./bugs-of-dispatch.ts";
import { engineBugs } from "./bugs-of-the-engine.ts";
import { groupBugs } from "./bugs-of-the-group.ts";
import { wireBugs } from "./bugs-of-the-wire.ts";
import type { PlantedBug } from "./planted.ts";

/** All of them: each has to be caught by an invariant within a few hundred seeds. */
export const plantedBugs: readonly PlantedBug[] = [...wireBugs, ...engineBugs, ...groupBugs, ...dispatchBugs];
