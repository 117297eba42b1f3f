/** What a process says of itself on `/metrics`. */

export interface Sample {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Timers, sockets, streams that keep the process alive. */
  readonly handles: number;
  readonly openFiles: number;
  /** 99 % of the delays of the event loop since it was asked last, milliseconds. */
  readonly loopDelayMs: number;
  readonly lagRecords: number;
  readonly processed: number;
  readonly deadLetters: number;
}

const ANSWER_MS_MAX = 2_000;

/** Undefined when nobody answers: it is ending, beginning, or made to stand still. */
export async function sampleOf(url: string): Promise<Sample | undefined> {
  try {
    const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return answer.ok ? readSample(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}

/** Of the text that Prometheus reads. */
export function readSample(text: string): Sample {
  const sums = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-z_0-9]+)(?:\{[^}]*\})? (\S+)/.exec(line) ?? [];
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  const of = (name: string): number => sums.get(`slackline_${name}`) ?? 0;
  return {
    rssBytes: of("process_resident_memory_bytes"),
    heapBytes: of("nodejs_heap_size_used_bytes"),
    handles: of("nodejs_active_resources_total"),
    openFiles: of("process_open_fds"),
    loopDelayMs: of("nodejs_eventloop_lag_p99_seconds") * 1_000,
    lagRecords: of("lag_records"),
    processed: of("records_processed_total"),
    deadLetters: of("dead_letters_total"),
  };
}
