/** The worst moment to die: a transaction is open, and stays so until somebody ends it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChainRun } from "../chain-run.ts";
import { PARTITIONS } from "../chain-topology.ts";
import type { InstanceProcess } from "../instance-process.ts";

const TRIES_MAX = 200;
/** The others' transactions end within this time, on a busy machine too. */
const OTHERS_END_MS = 250;
const GOES_ON_MS = 40;

/**
 * The instance is stopped in its tracks until that was in the middle of a transaction, then killed. Resolves with when it stood still, by
 * performance.now(): it has said nothing since.
 */
export async function killInTransaction(run: ChainRun, instance: InstanceProcess): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const stoodAt = performance.now();
    instance.pause();
    const before = await heldBack(run);
    await sleep(OTHERS_END_MS);
    const after = await heldBack(run);
    if ([...before].some(([place, stable]) => after.get(place) === stable)) {
      await instance.kill();
      return stoodAt;
    }
    instance.resume();
    await sleep(GOES_ON_MS + Math.random() * GOES_ON_MS);
  }
  throw new Error(`instance ${instance.options.instanceId} was never in a transaction, ${TRIES_MAX} times`);
}

/** Partitions that instances write, with where an open transaction holds readers back. */
async function heldBack(run: ChainRun): Promise<ReadonlyMap<string, number>> {
  const { offsets } = run.log;
  const places = [run.names.routed, run.names.links].flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })),
  );
  const found = await Promise.all(
    places.map(async (place): Promise<[string, number, number]> => {
      // In this order: what ends between the two is not open.
      const end = await offsets.bound(place, "high-watermark");
      return [`${place.topic}/${place.partition}`, await offsets.bound(place, "stable"), end];
    }),
  );
  return new Map(found.filter(([, stable, end]) => stable < end).map(([place, stable]) => [place, stable]));
}
