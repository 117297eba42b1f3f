/** End to end at so many positions a second: from the stamp in the position to its being read, committed, from the output. */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordBatchCursor } from "#log";
import { Latencies } from "../live/percentiles.ts";
import { loadOfMachine } from "../machine.ts";
import { positionSerde } from "./position.ts";
import { PARTITIONS } from "./position-topologies.ts";
import { PositionTraffic } from "./position-traffic.ts";
import { SideProcess } from "./side-process.ts";
import { prepare, type Scene, type Side } from "./side-run.ts";

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  /** Positions that were really sent while it was measured. */
  readonly perSecond: number;
  /** Cores that the process used. */
  readonly cores: number;
  readonly load: string;
}

export interface LatencyOptions {
  readonly drivers: number;
  readonly perSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** The input is the run's own and empty. */
export async function measureLatency(
  side: Side,
  scene: Scene,
  { drivers, perSecond, warmUpSeconds, seconds }: LatencyOptions,
): Promise<Latency> {
  const { log, input } = scene;
  const { options, directory } = await prepare(side, scene);
  const load = loadOfMachine();
  const process = new SideProcess(await side.command(options));
  const reader = log.reader();
  const producer = log.producer();
  const cursor = new RecordBatchCursor();
  const latencies = new Latencies();
  try {
    await process.said("running");
    const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: options.output, partition }));
    reader.assign(places.map((place) => ({ ...place, offset: 0, outOfRange: "fail" as const })));
    const traffic = new PositionTraffic({ seed: 7, drivers });
    const begun = performance.now();
    const warm = begun + warmUpSeconds * 1_000;
    const end = warm + seconds * 1_000;
    let sent = 0;
    let flushed = Promise.resolve();
    let flushing = false;
    let from: { readonly cpu: number; readonly sent: number } | undefined;
    for (let now = begun; now < end; now = performance.now()) {
      if (from === undefined && now >= warm) from = { cpu: process.cpuSeconds, sent };
      for (const due = ((now - begun) * perSecond) / 1_000; sent < due; sent++) traffic.append(producer, input, nowMicros());
      if (!flushing) {
        flushing = true;
        flushed = producer.flush().then(() => {
          flushing = false;
        });
      }
      for (const batch of reader.poll()) {
        const at = nowMicros();
        cursor.reset(batch.bytes, batch.baseOffset);
        while (cursor.next())
          if (from !== undefined)
            latencies.add((at - positionSerde.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd).recordedAtMicros) / 1_000);
      }
      await Promise.race([flushed, sleep(1)]);
      await sleep(1);
    }
    const cores = (process.cpuSeconds - (from?.cpu ?? 0)) / seconds;
    await flushed;
    const { p50, p99, count: samples } = latencies.summary();
    return { p50, p99, samples, perSecond: (sent - (from?.sent ?? 0)) / seconds, cores, load };
  } finally {
    await producer.close();
    await reader.close();
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}
