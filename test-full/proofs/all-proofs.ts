import type { Proof } from "../proof.ts";
import { clairvoyance } from "./clairvoyance.ts";
import { demoKills } from "./demo-kills.ts";
import { determinism } from "./determinism.ts";
import { mdrp } from "./mdrp.ts";
import { writerKills } from "./writer-kills.ts";

/** In the order in which they run. */
export const allProofs: readonly Proof[] = [mdrp, determinism, clairvoyance, writerKills, demoKills];
