/** Reads a Fetch response flat: the records of a partition stay one view of the response. */

export interface AbortedTransaction {
  readonly producerId: bigint;
  /** Of the aborted transaction in this partition. */
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly stableOffset: number;
  readonly startOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Whole batches, and at the end perhaps a piece of one. */
  readonly records: Buffer;
  /** The log was cut since it was read: from here on it has other records, or none. */
  readonly cutAt?: number;
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

const NO_RECORDS = Buffer.alloc(0);
const UUID_BYTES = 16;
const DIVERGING_EPOCH = 0;
const EPOCH_BYTES = 4;

/** The body of a Fetch response of version 13 to 17. Throws a RangeError when the bytes end too early. */
export function parseFetchResponse(body: Buffer): FetchResponse {
  const cursor = new FlexibleCursor(body);
  cursor.int32();
  const errorCode = cursor.int16();
  cursor.int32();
  const partitions: FetchedPartition[] = [];
  for (let topics = cursor.length(); topics > 0; topics--) {
    const topicId = cursor.hex(UUID_BYTES);
    for (let count = cursor.length(); count > 0; count--) partitions.push(parsePartition(cursor, topicId));
    cursor.skipTags();
  }
  return { errorCode, partitions };
}

function parsePartition(cursor: FlexibleCursor, topicId: string): FetchedPartition {
  const partition = cursor.int32();
  const errorCode = cursor.int16();
  const highWatermark = cursor.int64();
  const stableOffset = cursor.int64();
  const startOffset = cursor.int64();
  const aborted: AbortedTransaction[] = [];
  for (let count = cursor.length(); count > 0; count--) {
    aborted.push({ producerId: cursor.bigInt64(), firstOffset: cursor.int64() });
    cursor.skipTags();
  }
  cursor.int32();
  const records = cursor.bytes(cursor.length());
  const cutAt = cursor.divergingOffset();
  const rest = cutAt === undefined ? {} : { cutAt };
  return { topicId, partition, errorCode, highWatermark, stableOffset, startOffset, aborted, records, ...rest };
}

/** The flexible encoding: lengths are one more than they say, and each structure ends with tagged fields. */
class FlexibleCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): number {
    return Number(this.bigInt64());
  }

  bigInt64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  hex(length: number): string {
    this.#at += length;
    return this.#bytes.toString("hex", this.#at - length, this.#at);
  }

  /** 0 for what is absent too. */
  length(): number {
    return Math.max(0, this.#unsigned() - 1);
  }

  bytes(length: number): Buffer {
    if (length === 0) return NO_RECORDS;
    if (this.#at + length > this.#bytes.length) throw new RangeError(`${length} bytes do not fit the response`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  skipTags(): void {
    for (let tags = this.#unsigned(); tags > 0; tags--) {
      this.#unsigned();
      this.#at += this.#unsigned();
    }
  }

  /** Of the tagged fields of a partition the first: an epoch, and the offset up to which the broker has it. */
  divergingOffset(): number | undefined {
    let found: number | undefined;
    for (let tags = this.#unsigned(); tags > 0; tags--) {
      const tag = this.#unsigned();
      const bytes = this.#unsigned();
      if (tag === DIVERGING_EPOCH) found = Number(this.#bytes.readBigInt64BE(this.#at + EPOCH_BYTES));
      this.#at += bytes;
    }
    return found === undefined || found < 0 ? undefined : found;
  }

  #unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 0x1000_0000) throw new RangeError("a length runs over its end");
    }
  }
}
