/** Whether a changed schema may follow an older one under the same subject. */
import type { Type } from "avsc";
import { parseSchema } from "../avro/parse-schema.ts";

/**
 * `BACKWARD`: readers of the new schema read old data: fields may be added with a default, fields may go, kinds and symbols
 * may be added. `FULL`: readers of the old schema read new data too, so only fields with a default may come or go.
 */
export type CompatibilityLevel = "BACKWARD" | "FULL" | "NONE";

/** What stands in the way, one sentence each; empty when nothing does. Throws SCHEMA_INVALID. */
export function incompatibilities(level: CompatibilityLevel, next: string, before: string): readonly string[] {
  if (level === "NONE") return [];
  const newer = parseSchema(next).branches;
  const older = parseSchema(before).branches;
  const problems = unreadable(newer, older).map((problem) => `old data: ${problem}`);
  if (level === "FULL") problems.push(...unreadable(older, newer).map((problem) => `old readers: ${problem}`));
  return problems;
}

function unreadable(readers: readonly Type[], writers: readonly Type[]): string[] {
  return writers.flatMap((writer) => {
    const reasons = readers.map((reader) => ({ reader, reason: whyNot(reader, writer) }));
    if (reasons.some(({ reason }) => reason === undefined)) return [];
    const same = reasons.find(({ reader }) => reader.name === writer.name) ?? reasons[0];
    return [`${writer.name ?? writer.typeName}: ${same?.reason ?? "no reader"}`];
  });
}

function whyNot(reader: Type, writer: Type): string | undefined {
  try {
    reader.createResolver(writer);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
