/**
 * The one way to look at records inside a RecordBatch v2 block: a cursor that moves and names byte ranges, without making
 * an object per record. Contract only; the codec beside it implements it for every backend.
 */
import type { RecordHeader } from "./log.ts";

export interface RecordCursor {
  /** Takes a whole block; `baseOffset` overrides the one in the header (embedded blocks are stamped when they are committed). Throws `BATCH_CORRUPT`. */
  reset(bytes: Buffer, baseOffset: number): void;
  /** Moves to the next record; false at the end of the block. Throws `BATCH_CORRUPT`. */
  next(): boolean;
  readonly offset: number;
  readonly timestamp: number;
  /** The block; key and value are ranges of it. */
  readonly bytes: Buffer;
  /** −1 for a null key. */
  readonly keyStart: number;
  readonly keyEnd: number;
  /** −1 for a null value. */
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly headerCount: number;
  /** Decoded on demand. */
  headers(): readonly RecordHeader[];
  /** Copies, for those who keep them. */
  key(): Buffer | null;
  value(): Buffer | null;
}
