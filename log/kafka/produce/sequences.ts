/** The next sequence of each partition that a producer writes to, modulo 2^31. */
import type { TopicPartition } from "../../log.ts";
import type { BlockCompression, Compression } from "../../record-batch/block-compression.ts";
import type { PendingOutput } from "../../record-batch/output-buffer.ts";
import type { ProducerIdentity } from "../client/wire-contract.ts";
import type { PartitionBlocks } from "./send-blocks.ts";

export interface SealOptions {
  readonly identity: ProducerIdentity;
  readonly transactional: boolean;
  readonly compression: BlockCompression;
  readonly kind: Compression;
}

const SEQUENCE_MODULUS = 0x8000_0000;

export class Sequences {
  readonly #next = new Map<TopicPartition, number>();

  /** A new epoch counts from 0. */
  reset(): void {
    this.#next.clear();
  }

  /** Finishes the blocks of each partition under the producer's identity; the sequences go on behind them. */
  seal(
    outputs: readonly PendingOutput<TopicPartition>[],
    { identity, transactional, compression, kind }: SealOptions,
  ): readonly PartitionBlocks[] {
    return outputs.map(({ partition: at, builder }) => {
      const baseSequence = this.#next.get(at) ?? 0;
      this.#next.set(at, (baseSequence + builder.recordCount) % SEQUENCE_MODULUS);
      const blocks = builder
        .seal({ ...identity, baseSequence, transactional })
        .map(({ bytes, recordCount }) => ({ bytes: compression.compress(bytes, kind), recordCount }));
      return { topic: at.topic, partition: at.partition, blocks };
    });
  }
}
