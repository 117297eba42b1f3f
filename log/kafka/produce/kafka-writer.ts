/** The transactional writer of the port: outputs and offsets of one thread in one transaction of Kafka. */
import assert, { AssertionError } from "node:assert/strict";
import { LogError, WriterLostError } from "../../errors.ts";
import type { CommitRequest, RecordHeader, TopicPartition, Writer, WriterOptions } from "../../log.ts";
import type { BlockCompression, Compression } from "../../record-batch/block-compression.ts";
import { OutputBuffer } from "../../record-batch/output-buffer.ts";
import type { PendingOutput } from "../../record-batch/output-buffer.ts";
import type { Cluster } from "../client/cluster.ts";
import { reactionTo } from "../client/error-codes.ts";
import { isForbidden, remedyOf } from "../client/rights.ts";
import type { GroupMember } from "../client/wire-contract.ts";
import { METADATA_BYTES_MAX } from "../defaults.ts";
import { KafkaMembership } from "../group/kafka-membership.ts";
import type { TopicCatalog } from "../topic-catalog.ts";
import type { OwnCommits } from "./own-commits.ts";
import { asRefusedRecord, isTooLarge, RefusedByBroker } from "./send-blocks.ts";
import { Sequences } from "./sequences.ts";
import { EndUnknownError, isEpochRefused, TransactionalProducer } from "./transaction.ts";

export interface KafkaWriterDependencies {
  readonly cluster: Cluster;
  readonly catalog: TopicCatalog;
  readonly compression: BlockCompression;
  readonly kind: Compression;
  readonly ownCommits: OwnCommits;
  readonly transactionMsMax: number;
  readonly lane: number;
  /** Called once, when it is closed and nothing is in flight. */
  readonly closed: () => void;
}

type WriterState = "created" | "ready" | "committing" | "dead";

export class KafkaWriter implements Writer {
  readonly #options: WriterOptions;
  readonly #deps: KafkaWriterDependencies;
  readonly #outputs: OutputBuffer<TopicPartition>;
  readonly #producer: TransactionalProducer;
  readonly #sequences = new Sequences();
  readonly #ends = new Map<string, number>();
  #state: WriterState = "created";
  #inFlight: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: WriterOptions, deps: KafkaWriterDependencies) {
    assert(options.group.length > 0 && options.transactionalId.length > 0, "a writer needs a group and an id");
    this.#options = options;
    this.#deps = deps;
    this.#outputs = new OutputBuffer((topic, partition) => deps.catalog.output(topic, partition));
    const { cluster, transactionMsMax: msMax, lane } = deps;
    this.#producer = new TransactionalProducer({ cluster, transactionalId: options.transactionalId, msMax, lane });
  }

  get bufferedBytes(): number {
    return this.#outputs.bytes;
  }

  async initialize(): Promise<void> {
    assert(this.#state === "created", `initialize once, not in state ${this.#state}`);
    await this.#producer.initialize();
    this.#state = "ready";
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeader[],
  ): void {
    if (this.#state !== "ready" && this.#state !== "committing") throw this.#unusable();
    this.#outputs.append(topic, partition, timestamp, key, value, headers);
  }

  savepoint(): void {
    this.#outputs.savepoint();
  }

  rollback(): void {
    this.#outputs.rollback();
  }

  committedEnd({ topic, partition }: TopicPartition): number | undefined {
    return this.#ends.get(`${topic}/${partition}`);
  }

  /** What was appended is taken before it returns. */
  commit(request: CommitRequest): Promise<void> {
    if (this.#state !== "ready") return Promise.reject(this.#unusable());
    const refused = this.#refusal(request);
    if (refused !== undefined) {
      this.#state = "dead";
      return Promise.reject(refused);
    }
    const outputs = this.#outputs.take();
    if (outputs.length === 0 && request.offsets.length === 0) return Promise.resolve();
    this.#state = "committing";
    const committed = this.#commit(outputs, request);
    this.#inFlight = committed.catch(() => {});
    return committed;
  }

  async close(): Promise<void> {
    this.#state = "dead";
    if (this.#closed) return;
    this.#closed = true;
    await this.#inFlight;
    this.#deps.closed();
  }

  async #commit(outputs: readonly PendingOutput<TopicPartition>[], { offsets }: CommitRequest): Promise<void> {
    const { compression, kind, ownCommits } = this.#deps;
    try {
      const partitions = this.#sequences.seal(outputs, { identity: this.#producer.identity, transactional: true, compression, kind });
      const { stored, newEpoch } = await this.#producer.commit({ partitions, offsets, member: this.#member() });
      if (newEpoch) this.#sequences.reset();
      for (const at of stored) {
        ownCommits.committed(at, at.lastOffset);
        // −1 where the broker did not say it: what is known from before stays true.
        if (at.lastOffset >= 0) this.#ends.set(`${at.topic}/${at.partition}`, at.lastOffset + 1);
      }
    } catch (error) {
      // Dead from here on only: while the reason is looked for, an append that were refused would be told of before it, and instead of it.
      const lost = await this.#lost(error);
      this.#state = "dead";
      throw lost;
    }
    this.#outputs.recycle(outputs);
    // Closed meanwhile, it stays dead.
    if (this.#state === "committing") this.#state = "ready";
  }

  #member(): GroupMember {
    const { group, membership } = this.#options;
    return membership instanceof KafkaMembership ? membership.identity : { group, generation: -1, member: "" };
  }

  async #lost(error: unknown): Promise<unknown> {
    const id = this.#options.transactionalId;
    const cause = error;
    if (error instanceof EndUnknownError)
      return new WriterLostError(
        "COMMIT_UNKNOWN",
        `Whether the commit of ${id} took effect is not known: ${error.message}. Make a new writer and read the committed offsets.`,
        { cause },
      );
    if (!(error instanceof RefusedByBroker)) {
      if (!(error instanceof LogError)) return error;
      const code = error.code === "LOG_FORBIDDEN" ? error.code : "LOG_UNAVAILABLE";
      return new WriterLostError(code, `The commit of ${id} failed, nothing of it is committed. ${error.message}`, { cause });
    }
    if (isEpochRefused(error.code) && (await this.#producer.isFenced()))
      return new WriterLostError("WRITER_FENCED", `A newer writer has taken the id ${id}. Give up its partitions.`, { cause });
    await this.#producer.abort();
    // Its limits may have been lowered: the next writer knows them before it appends.
    if (isTooLarge(error.code)) await this.#deps.catalog.loadIfPossible();
    if (reactionTo(error.code) === "refuse")
      return new WriterLostError("COMMIT_REFUSED", `The commit of ${id} was refused; nothing of it is committed. ${error.message}`, {
        cause: asRefusedRecord(error),
      });
    const { code, message, needs } = error;
    const remedy = remedyOf({ code, what: message, needs, principal: this.#deps.cluster.principal });
    return new WriterLostError(
      isForbidden(code) ? "LOG_FORBIDDEN" : "LOG_UNAVAILABLE",
      `The commit of ${id} failed, nothing of it is committed. ${message} ${isForbidden(code) ? remedy : "Make a new writer and read the committed offsets."}`,
      { cause },
    );
  }

  /** Known before anything is sent. */
  #refusal({ offsets, rows }: CommitRequest): WriterLostError | undefined {
    assert(rows.length === 0, "this log writes no rows: capabilities.atomicRows is false");
    for (const commit of offsets) {
      if (Buffer.byteLength(commit.metadata) > METADATA_BYTES_MAX)
        return new WriterLostError(
          "COMMIT_REFUSED",
          `The metadata of ${commit.topic}/${commit.partition} is above ${METADATA_BYTES_MAX} bytes. Keep less in it.`,
          commit,
        );
      try {
        this.#deps.catalog.require(commit);
      } catch (cause) {
        return new WriterLostError(
          "COMMIT_REFUSED",
          `The offset of ${commit.topic}/${commit.partition} cannot be committed. Its cause says why.`,
          {
            ...commit,
            cause,
          },
        );
      }
    }
    return undefined;
  }

  #unusable(): Error {
    if (this.#state === "dead")
      return new WriterLostError(
        "LOG_UNAVAILABLE",
        `The writer ${this.#options.transactionalId} is closed or has failed. Make a new one and read the committed offsets.`,
      );
    return new AssertionError({
      message: this.#state === "created" ? "initialize the writer before its first use" : "at most one commit is in flight",
    });
  }
}
