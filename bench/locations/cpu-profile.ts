/** A CPU profile of the calling thread, and where its time went. */
import { writeFileSync } from "node:fs";
import { Session, type Profiler } from "node:inspector/promises";

const SAMPLE_MICROSECONDS = 500;

export interface SelfTime {
  readonly where: string;
  /** Of the samples that were not idle. */
  readonly share: number;
}

/** Profiles until `stop`, which writes the profile to `file` and answers the functions by their own time, the largest first. */
export async function startCpuProfile(): Promise<{ stop(file: string): Promise<readonly SelfTime[]> }> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_MICROSECONDS });
  await session.post("Profiler.start");
  return {
    async stop(file) {
      const { profile } = await session.post("Profiler.stop");
      session.disconnect();
      writeFileSync(file, JSON.stringify(profile));
      return selfTimes(profile);
    },
  };
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): readonly SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  samples.forEach((node, index) => {
    const name = names.get(node) ?? "?";
    if (name === "(idle)" || name === "(root)") return;
    const time = timeDeltas[index] ?? 0;
    busy += time;
    times.set(name, (times.get(name) ?? 0) + time);
  });
  return [...times].map(([where, time]) => ({ where, share: time / busy })).sort((a, b) => b.share - a.share);
}

function nameOf({ functionName, url, lineNumber }: Profiler.Profile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  const path = url.split("/").slice(-2).join("/");
  return path === "" ? name : `${name} ${path}:${lineNumber + 1}`;
}
