/** A dead letter as a test wants to see it. */
import type { RecordHeader } from "#log";
import type { RawRecord } from "./recording-writer.ts";

export interface DeadLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  /** `__streams.errors.code`. */
  readonly code: string;
  /** `__streams.errors.message`. */
  readonly message: string;
  /** All headers as texts. */
  readonly headers: Readonly<Record<string, string>>;
}

export function deadLetterOf({ key, value, timestamp, headers }: Omit<RawRecord, "topic" | "partition">): DeadLetter {
  const texts = headerTexts(headers);
  return {
    key,
    value,
    timestamp,
    code: texts["__streams.errors.code"] ?? "",
    message: texts["__streams.errors.message"] ?? "",
    headers: texts,
  };
}

function headerTexts(headers: readonly RecordHeader[]): Readonly<Record<string, string>> {
  return Object.fromEntries(headers.map(({ key, value }) => [key, value === null ? "" : Buffer.from(value).toString("utf8")]));
}
