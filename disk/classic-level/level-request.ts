/** What clients ask the disk thread. Bytes arrive as Buffers. */
import type { Family, KeyRange } from "../disk.ts";

export type LevelRequest =
  | { readonly op: "get-many"; readonly family: Family; readonly keys: readonly Uint8Array[] }
  | { readonly op: "write"; readonly operations: readonly LevelOperation[]; readonly sync: boolean }
  | { readonly op: "open-entries"; readonly family: Family; readonly range: KeyRange }
  | { readonly op: "next-entries"; readonly iterator: number }
  | { readonly op: "close-entries"; readonly iterator: number }
  | { readonly op: "delete-range"; readonly family: Family; readonly from: Uint8Array; readonly to: Uint8Array }
  | { readonly op: "close" };

/** A null value deletes. */
export interface LevelOperation {
  readonly family: Family;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** Entries of a range; `iterator` is 0 when these are the last. */
export interface LevelChunk {
  readonly iterator: number;
  readonly entries: readonly (readonly [Buffer, Buffer])[];
}

export type LevelAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly text: string };

/** What the disk thread is started with. */
export interface LevelThreadData {
  readonly directory: string;
  readonly create: boolean;
  readonly memory: SharedArrayBuffer;
  readonly mailboxes: number;
}

/** What the disk thread says when it has opened the database, or has failed to. */
export type LevelThreadMessage = { readonly opened: true } | { readonly opened: false; readonly code: string; readonly text: string };
