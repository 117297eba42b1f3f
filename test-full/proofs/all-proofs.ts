import type { Proof } from "../proof.ts";
import { cityDay } from "./city-day.ts";
import { clairvoyance } from "./clairvoyance.ts";
import { damage } from "./damage.ts";
import { demoKills } from "./demo-kills.ts";
import { determinism } from "./determinism.ts";
import { kafka } from "./kafka.ts";
import { mdrp } from "./mdrp.ts";
import { writerKills } from "./writer-kills.ts";

/** In the order in which they run. */
export const allProofs: readonly Proof[] = [mdrp, determinism, cityDay, clairvoyance, damage, writerKills, demoKills, kafka];
