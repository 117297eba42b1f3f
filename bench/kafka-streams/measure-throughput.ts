/** From the first record to the moment when the offsets of all of them are committed. */
import { rm } from "node:fs/promises";
import { loadOfMachine } from "../machine.ts";
import { SideProcess } from "./side-process.ts";
import { endsOf, outputsOf, prepare, untilCommitted, type Outputs, type Scene, type Side } from "./side-run.ts";

export interface Throughput extends Outputs {
  readonly perSecond: number;
  /** Of the process, from its first record to its last commit. */
  readonly cpuPerMillion: number;
  readonly rssMb: number;
  readonly records: number;
  readonly load: string;
}

export async function measureThroughput(side: Side, scene: Scene): Promise<Throughput> {
  const { log } = scene;
  const { options, directory } = await prepare(side, scene);
  const load = loadOfMachine();
  const process = new SideProcess(await side.command(options));
  try {
    const ends = await endsOf(log, scene.input);
    const records = ends.reduce((sum, end) => sum + end, 0);
    const first = await process.said("first");
    const cpuBefore = process.cpuSeconds;
    await untilCommitted(log, options.applicationId, scene.input, ends);
    const ms = performance.now() - first.at;
    const cpuPerMillion = ((process.cpuSeconds - cpuBefore) / records) * 1e6;
    const { rssMb } = process;
    await process.stop();
    return { perSecond: (records / ms) * 1_000, cpuPerMillion, rssMb, records, ...(await outputsOf(log, options.output)), load };
  } finally {
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}
