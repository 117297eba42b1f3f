/** Plain idempotent writing for the edge of the system. */
import { LogError } from "../../errors.ts";
import type { AppendedRange, Producer, RecordHeader, TopicPartition } from "../../log.ts";
import type { BlockCompression, Compression } from "../../record-batch/block-compression.ts";
import { OutputBuffer } from "../../record-batch/output-buffer.ts";
import type { Cluster } from "../client/cluster.ts";
import { NONE, reactionTo } from "../client/error-codes.ts";
import { isForbidden, refusedError, remedyOf } from "../client/rights.ts";
import type { ProducerIdentity } from "../client/wire-contract.ts";
import { PRODUCE_MS_MAX, TRANSACTION_MS_MAX } from "../defaults.ts";
import type { TopicCatalog } from "../topic-catalog.ts";
import { asRefusedRecord, isTooLarge, RefusedByBroker, sendBlocks } from "./send-blocks.ts";
import { Sequences } from "./sequences.ts";

export interface KafkaProducerDependencies {
  readonly cluster: Cluster;
  readonly catalog: TopicCatalog;
  readonly compression: BlockCompression;
  readonly kind: Compression;
  readonly lane: number;
  /** Called once, at `close`. */
  readonly closed: () => void;
}

/** A flush that rejects has dropped what it carried, and cannot say whether it was written: append it again if doubles do no harm. */
export class KafkaProducer implements Producer {
  readonly #deps: KafkaProducerDependencies;
  readonly #outputs: OutputBuffer<TopicPartition>;
  readonly #sequences = new Sequences();
  #identity: ProducerIdentity | undefined;
  #inFlight: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(deps: KafkaProducerDependencies) {
    this.#deps = deps;
    this.#outputs = new OutputBuffer((topic, partition) => deps.catalog.output(topic, partition));
  }

  get bufferedBytes(): number {
    return this.#outputs.bytes;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeader[],
  ): void {
    if (this.#closed) throw new LogError("LOG_UNAVAILABLE", "The producer is closed. Make a new one.");
    this.#outputs.append(topic, partition, timestamp, key, value, headers);
  }

  /** Flushes follow one another in order. Partitions become visible one by one: only transactions join them. */
  flush(): Promise<readonly AppendedRange[]> {
    const flushed = this.#inFlight.then(() => this.#flush());
    this.#inFlight = flushed.catch(() => {});
    return flushed;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inFlight;
    this.#deps.closed();
  }

  async #flush(): Promise<readonly AppendedRange[]> {
    const outputs = this.#outputs.take();
    if (outputs.length === 0) return [];
    const { cluster, compression, kind, lane } = this.#deps;
    try {
      const identity = (this.#identity ??= await this.#initialize());
      const blocks = this.#sequences.seal(outputs, { identity, transactional: false, compression, kind });
      const options = { transactionalId: null, version: 1, purpose: `produce/${lane}`, msMax: PRODUCE_MS_MAX } as const;
      const stored = await sendBlocks(cluster, blocks, options);
      this.#outputs.recycle(outputs);
      return stored.map(({ topic, partition, baseOffset, count }) => ({ topic, partition, baseOffset, count }));
    } catch (error) {
      // Sequences have a gap now: another identity counts from 0.
      this.#identity = undefined;
      // Its limits may have been lowered: what comes is refused before it is sent.
      if (error instanceof RefusedByBroker && isTooLarge(error.code)) await this.#deps.catalog.loadIfPossible();
      throw asLogError(error, cluster.principal);
    }
  }

  async #initialize(): Promise<ProducerIdentity> {
    const { cluster, lane } = this.#deps;
    const { code, value } = await cluster.ask("for a producer id", async () => {
      const to = cluster.any(`produce/${lane}`);
      const answer = await cluster.wire.initProducer(to, { transactionalId: null, timeoutMs: TRANSACTION_MS_MAX, present: undefined });
      return { code: answer.errorCode, value: answer };
    });
    if (code !== NONE) throw refusedError({ code, what: "a producer id", needs: "Write on a topic", principal: cluster.principal });
    this.#sequences.reset();
    return { producerId: value.producerId, producerEpoch: value.producerEpoch };
  }
}

function asLogError(error: unknown, principal: string): unknown {
  if (!(error instanceof RefusedByBroker)) return error;
  if (reactionTo(error.code) === "refuse") return asRefusedRecord(error);
  const { code, message, needs } = error;
  const remedy = remedyOf({ code, what: message, needs, principal });
  return new LogError(isForbidden(code) ? "LOG_FORBIDDEN" : "LOG_UNAVAILABLE", `${message} ${remedy} What was appended is dropped.`, {
    cause: error,
  });
}
