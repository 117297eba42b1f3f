/**
 * Where schema ids come from. All calls are synchronous, because they happen in the middle of a record: an implementation
 * that needs a network or a log does its waiting before the application starts (`loadRegistry` of a log, later of a server).
 */
import type { CompatibilityLevel } from "./compatibility.ts";

export interface RegisteredSchema {
  readonly id: number;
  readonly subject: string;
  /** Counts a subject's schemas, from 1. */
  readonly version: number;
  /** The schema as JSON. */
  readonly schema: string;
}

export interface SchemaRegistry {
  /**
   * The id of this schema; equal schemas have equal ids. A registry of ours gives a new schema the next id if it is compatible
   * with the subject's last one; one that belongs to others answers only what was loaded at start.
   * Throws SCHEMA_INCOMPATIBLE, SCHEMA_INVALID or REGISTRY_UNAVAILABLE.
   */
  register(subject: string, schema: string, level?: CompatibilityLevel): number;
  /**
   * The schema of an id. Undefined: there is none. Throws REGISTRY_UNAVAILABLE when that is not known yet: ask again later,
   * the record is not to blame.
   */
  schemaById(id: number): string | undefined;
  latest(subject: string): RegisteredSchema | undefined;
  /** Everything registered, by subject and version in the order of registration: what another thread starts from. */
  all(): readonly RegisteredSchema[];
}
