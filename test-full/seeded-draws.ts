import { createHash } from "node:crypto";

/** Numbers in [0, 1) that depend on the seed alone. */
export function seededDraws(seed: string, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => createHash("sha256").update(`${seed} ${index}`).digest().readUInt32BE(0) / 2 ** 32);
}
