/** Compresses and decompresses the records of a finished block; its header and CRC are made to fit. */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { LogError } from "../errors.ts";
import { ATTRIBUTES_AT, BATCH_HEADER_BYTES, BATCH_LENGTH_AT, BATCH_LENGTH_EXCLUDES, COMPRESSION_MASK, CRC_AT } from "./batch-layout.ts";
import { crc32c } from "./crc32c.ts";

export interface Compressor {
  compress(bytes: Buffer): Buffer;
  /** May throw anything on bytes that are not of its kind. */
  decompress(bytes: Buffer): Buffer;
}

export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** By their number in the attributes. */
const COMPRESSIONS: readonly Compression[] = ["none", "gzip", "snappy", "lz4", "zstd"];

/** Blocks in and out of compression, with what decompresses to more than the bound refused. */
export class BlockCompression {
  readonly #compressors: Readonly<Record<Exclude<Compression, "none">, Compressor>>;
  readonly #bytesMax: number;

  /** gzip and zstd are Node's own; the others come from outside. */
  constructor(others: Readonly<Record<"snappy" | "lz4", Compressor>>, decompressedBytesMax: number) {
    this.#bytesMax = decompressedBytesMax;
    const limit = { maxOutputLength: decompressedBytesMax };
    this.#compressors = {
      ...others,
      gzip: { compress: (bytes) => gzipSync(bytes), decompress: (bytes) => gunzipSync(bytes, limit) },
      zstd: { compress: (bytes) => zstdCompressSync(bytes), decompress: (bytes) => zstdDecompressSync(bytes, limit) },
    };
  }

  /** A new block, or the same one when compressing does not make it smaller. */
  compress(block: Buffer, kind: Compression): Buffer {
    if (kind === "none") return block;
    const records = this.#compressors[kind].compress(block.subarray(BATCH_HEADER_BYTES));
    if (records.length >= block.length - BATCH_HEADER_BYTES) return block;
    return withRecords(block, records, COMPRESSIONS.indexOf(kind));
  }

  /** The block with plain records, the same one when it has them already. Throws `BATCH_CORRUPT` and `COMPRESSION_UNSUPPORTED`. */
  decompress(block: Buffer, baseOffset: number): Buffer {
    const number = block.readInt16BE(ATTRIBUTES_AT) & COMPRESSION_MASK;
    if (number === 0) return block;
    const kind = COMPRESSIONS[number];
    if (kind === undefined || kind === "none")
      throw new LogError(
        "COMPRESSION_UNSUPPORTED",
        `The block at offset ${baseOffset} is compressed with codec ${number}, which is not known. Produce with gzip, snappy, lz4 or zstd.`,
        { offset: baseOffset },
      );
    let records: Buffer;
    try {
      records = this.#compressors[kind].decompress(block.subarray(BATCH_HEADER_BYTES));
      if (records.length > this.#bytesMax) throw new RangeError(`${records.length} bytes are above ${this.#bytesMax}`);
    } catch (error) {
      throw new LogError(
        "BATCH_CORRUPT",
        `The block at offset ${baseOffset} cannot be decompressed by ${kind}. Restore the log from a copy, or delete the records below its end.`,
        { offset: baseOffset, cause: error },
      );
    }
    return withRecords(block, records, 0);
  }
}

function withRecords(block: Buffer, records: Buffer, compression: number): Buffer {
  const made = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  block.copy(made, 0, 0, BATCH_HEADER_BYTES);
  made.set(records, BATCH_HEADER_BYTES);
  made.writeInt32BE(made.length - BATCH_LENGTH_EXCLUDES, BATCH_LENGTH_AT);
  made.writeInt16BE((block.readInt16BE(ATTRIBUTES_AT) & ~COMPRESSION_MASK) | compression, ATTRIBUTES_AT);
  made.writeUInt32BE(crc32c(made, ATTRIBUTES_AT, made.length), CRC_AT);
  return made;
}
