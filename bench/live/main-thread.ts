/** What one thread does while a bench runs: its own CPU time, how long its event loop stands still, and its garbage collection. */
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

export interface ThreadEffort {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** How late a timer of a millisecond came. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly collections: number;
  readonly collectionMs: number;
  readonly collectionMaxMs: number;
}

/** From now until the answer is called, of the thread that calls. */
export function watchThread(): () => ThreadEffort {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const pauses: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  delay.enable();
  const begun = performance.now();
  const cpu = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(cpu);
    delay.disable();
    observer.disconnect();
    return {
      cpuMs: (user + system) / 1_000,
      wallMs: performance.now() - begun,
      loopDelayP99Ms: delay.percentile(99) / 1e6,
      loopDelayMaxMs: delay.max / 1e6,
      collections: pauses.length,
      collectionMs: pauses.reduce((sum, ms) => sum + ms, 0),
      collectionMaxMs: Math.max(0, ...pauses),
    };
  };
}

/** For a bench's facts. `each`: how many were served meanwhile. */
export function threadFacts(effort: ThreadEffort, what: string, each: number): Readonly<Record<string, number>> {
  return {
    [`CPU of the main thread a ${what}, ms`]: effort.cpuMs / each,
    "main thread busy, share of a core": effort.cpuMs / effort.wallMs,
    "event loop late, p99 ms": effort.loopDelayP99Ms,
    "event loop late, max ms": effort.loopDelayMaxMs,
    "garbage collections": effort.collections,
    "garbage collections, longest ms": effort.collectionMaxMs,
  };
}
