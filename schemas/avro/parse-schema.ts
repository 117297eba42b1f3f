/** Schema texts to Avro types, also texts that come from outside. */
import avsc, { type Type } from "avsc";
import { SerdeError } from "../errors.ts";
import { SCHEMA_BRANCHES_MAX, SCHEMA_CHARACTERS_MAX, SCHEMA_DEPTH_MAX } from "./limits.ts";

export interface ParsedSchema {
  readonly isUnion: boolean;
  /** Branches of the union at the top, or the one type. */
  readonly branches: readonly Type[];
}

/** Throws SCHEMA_INVALID for a text that is no Avro schema, is too large or too deep, or names what must not be named. */
export function parseSchema(text: string): ParsedSchema {
  if (text.length > SCHEMA_CHARACTERS_MAX) throw invalid(`${text.length} characters, at most ${SCHEMA_CHARACTERS_MAX}`);
  try {
    // Registries hand out the bare name of a primitive as well as its JSON.
    return typesOf(/^[a-z]+$/.test(text) ? text : JSON.parse(text));
  } catch (cause) {
    if (cause instanceof SerdeError) throw cause;
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** The types of a schema given as JSON. */
export function typesOf(json: unknown): ParsedSchema {
  examine(json, 0);
  const isUnion = Array.isArray(json);
  const schemas: readonly unknown[] = isUnion ? json : [json];
  if (schemas.length === 0 || schemas.length > SCHEMA_BRANCHES_MAX)
    throw invalid(`a union of ${schemas.length} kinds, 1 to ${SCHEMA_BRANCHES_MAX} are possible`);
  // One registry of names for all branches: a later one refers to types that an earlier one defines.
  const options = { registry: {}, omitRecordMethods: true, wrapUnions: "never" };
  // avsc takes the text "never" and mutable schemas by its types; it changes neither.
  const branches = schemas.map((schema) => avsc.Type.forSchema(schema as never, options as never));
  return { isUnion, branches };
}

const forbiddenNames = new Set(["__proto__", "constructor", "prototype"]);

/** avsc makes classes of records, so names are checked before it sees them, and depth before it recurses. */
function examine(json: unknown, depth: number): void {
  if (depth > SCHEMA_DEPTH_MAX) throw invalid(`depth over ${SCHEMA_DEPTH_MAX}`);
  if (Array.isArray(json)) {
    for (const item of json) examine(item, depth + 1);
  } else if (typeof json === "object" && json !== null) {
    const { name } = json as { readonly name?: unknown };
    if (typeof name === "string" && forbiddenNames.has(name)) throw invalid(`the name ${name} is forbidden`);
    for (const item of Object.values(json)) examine(item, depth + 1);
  }
}

function invalid(reason: string, cause?: unknown): SerdeError {
  return new SerdeError("SCHEMA_INVALID", `Not a schema that can be used here: ${reason}.`, { reason, cause });
}
