/** What is written about a unit of work that failed: the bytes as they came, and why in headers that existing viewers know (KIP-1034). */
import type { RecordHeader } from "#log";

/** The unit of work a task has in hand, as its dead letter names it. */
export type UnitOrigin =
  | { readonly kind: "record"; readonly topic: string; readonly partition: number; readonly offset: number }
  | { readonly kind: "timer"; readonly store: string; readonly key: string; readonly at: number }
  | { readonly kind: "punctuation"; readonly name: string; readonly at: number };

const HEADER_BYTES_MAX = 4 * 1024;
const PREFIX = "__streams.errors.";
const CODE = /^[A-Z][A-Z0-9_]*$/;

/** The topic of an application's dead letters. */
export function deadLetterTopic(applicationId: string): string {
  return `${applicationId}.dlq`;
}

/** The error's own code where it has one of ours, else `fallback`. */
export function codeOf(error: unknown, fallback: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // Node's own codes (ERR_…) say nothing about the record.
  return typeof code === "string" && CODE.test(code) && !code.startsWith("ERR_") ? code : fallback;
}

export interface DeadLetterFacts {
  readonly error: unknown;
  readonly code: string;
  readonly task: string;
  readonly origin: UnitOrigin;
  /** Of the record before the failure; what a dead letter adds. */
  readonly headers: readonly RecordHeader[];
}

/** The record's own headers, then ours. Texts are cut to 4 KiB. */
export function deadLetterHeaders({ error, code, task, origin, headers }: DeadLetterFacts): readonly RecordHeader[] {
  const name = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  const added = [header("exception", name), header("message", message), header("stacktrace", stack)];
  if (origin.kind === "record")
    added.push(header("topic", origin.topic), header("partition", String(origin.partition)), header("offset", String(origin.offset)));
  else added.push(header(origin.kind, origin.kind === "timer" ? origin.store : origin.name));
  added.push(header("task", task), header("code", code));
  return [...headers, ...added];
}

function header(name: string, text: string | undefined): RecordHeader {
  const bytes = text === undefined ? null : Buffer.from(text);
  return { key: PREFIX + name, value: bytes === null || bytes.length <= HEADER_BYTES_MAX ? bytes : cutAt(bytes, HEADER_BYTES_MAX) };
}

/** Not in the middle of a character. */
function cutAt(bytes: Buffer, length: number): Buffer {
  let end = length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
