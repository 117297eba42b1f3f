/** Does the whole input, is killed, loses its folder or keeps it, and comes back to records that came meanwhile. */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { loadOfMachine } from "../machine.ts";
import { PositionTraffic } from "./position-traffic.ts";
import { SideProcess } from "./side-process.ts";
import { COMMIT_MS_MAX, endsOf, LOOK_MS, outputsOf, prepare, untilCommitted, type Outputs, type Scene, type Side } from "./side-run.ts";

export interface Recovery extends Outputs {
  /** In all stores, from the first that began to the last that ended. */
  readonly restored: number;
  /** NaN where nothing was restored. */
  readonly restoredPerSecond: number;
  /** From kill -9, with the start of the new process at once behind it, to the first committed output of a record that came later. */
  readonly firstOutputMs: number;
  /** From kill -9 to everything that came being committed. */
  readonly drainedMs: number;
  readonly load: string;
}

export interface RecoveryOptions {
  readonly state: "kept" | "lost";
  readonly drivers: number;
  /** Timestamp of the positions that come after the kill. */
  readonly laterMicros: number;
  readonly laterRecords: number;
}

/** The input is the run's own, with what is to be done before the kill. */
export async function measureRecovery(side: Side, scene: Scene, options: RecoveryOptions): Promise<Recovery> {
  const { log, input } = scene;
  const { options: sideOptions, directory } = await prepare(side, scene);
  const { applicationId, output } = sideOptions;
  const load = loadOfMachine();
  let process = new SideProcess(await side.command(sideOptions));
  const reader = log.reader();
  try {
    await untilCommitted(log, applicationId, input, await endsOf(log, input));
    // Its rows may follow the commit by a moment.
    await sleep(500);
    await process.kill();
    const killedAt = performance.now();
    if (options.state === "lost") await rm(directory, { recursive: true, force: true });
    const ends = await endsOf(log, output);
    reader.assign(ends.map((offset, partition) => ({ topic: output, partition, offset, outOfRange: "fail" as const })));
    process = new SideProcess(await side.command(sideOptions));
    const { drivers, laterMicros, laterRecords } = options;
    await new PositionTraffic({ seed: 99, drivers }).load(log, input, { count: laterRecords, startMicros: laterMicros });
    while (reader.poll().length === 0) {
      if (performance.now() - killedAt > COMMIT_MS_MAX) throw new Error(`${side.name} did not come back`);
      await sleep(LOOK_MS);
    }
    const firstOutputMs = performance.now() - killedAt;
    await untilCommitted(log, applicationId, input, await endsOf(log, input));
    const drainedMs = performance.now() - killedAt;
    const [restored = 0, ms = 0] = process.lastSaid("restored")?.split(" ").slice(1).map(Number) ?? [];
    const restoredPerSecond = restored === 0 ? Number.NaN : (restored / Math.max(1, ms)) * 1_000;
    await process.stop();
    return { restored, restoredPerSecond, firstOutputMs, drainedMs, ...(await outputsOf(log, output)), load };
  } finally {
    await reader.close();
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}
