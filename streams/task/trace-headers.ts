/** What a trace is carried by from record to record: the W3C's names. */
import type { RecordHeader } from "#log";

const NAMES: ReadonlySet<string> = new Set(["traceparent", "tracestate", "baggage"]);

/** Undefined where there are none: almost always. */
export function traceHeadersOf(headers: readonly RecordHeader[]): readonly RecordHeader[] | undefined {
  if (headers.length === 0) return undefined;
  const carried = headers.filter(({ key }) => NAMES.has(key));
  return carried.length === 0 ? undefined : carried;
}
