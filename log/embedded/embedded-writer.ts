/** The transactional writer over the committer: blocks, offsets and rows in one batch, fenced by the epoch of its id. */
import assert, { AssertionError } from "node:assert/strict";
import type { Disk, DiskBatch } from "#disk";
import { LogError, WriterLostError } from "../errors.ts";
import type { CommitRequest, RecordHeader, Writer, WriterOptions } from "../log.ts";
import type { Committer } from "./commit/committer.ts";
import { OutputBuffer } from "../record-batch/output-buffer.ts";
import type { PendingOutput } from "../record-batch/output-buffer.ts";
import { GROUP_BYTES_MAX, METADATA_BYTES_MAX } from "./defaults.ts";
import { encodeCommitted } from "./committed-row.ts";
import { committedKey, epochKey } from "./keys.ts";
import type { SharedControl } from "./shared-control.ts";
import type { PartitionSlot, TopicCatalog } from "./topic-catalog.ts";

export interface EmbeddedWriterDependencies {
  readonly disk: Disk;
  readonly control: SharedControl;
  readonly catalog: TopicCatalog;
  readonly committer: Committer;
}

type WriterState = "created" | "ready" | "committing" | "dead";

export class EmbeddedWriter implements Writer {
  readonly #options: WriterOptions;
  readonly #deps: EmbeddedWriterDependencies;
  readonly #outputs: OutputBuffer<PartitionSlot>;
  #state: WriterState = "created";
  #epoch = 0;
  #fencesSeen = -1;

  constructor(options: WriterOptions, deps: EmbeddedWriterDependencies) {
    for (const name of [options.group, options.transactionalId])
      assert(name.length > 0 && Buffer.byteLength(name) <= GROUP_BYTES_MAX, `"${name}" must have 1 to ${GROUP_BYTES_MAX} bytes`);
    this.#options = options;
    this.#deps = deps;
    this.#outputs = new OutputBuffer((topic, partition) => deps.catalog.output(topic, partition));
  }

  get bufferedBytes(): number {
    return this.#outputs.bytes;
  }

  async initialize(): Promise<void> {
    assert(this.#state === "created", `initialize once, not in state ${this.#state}`);
    const { committer, control, disk } = this.#deps;
    const key = epochKey(this.#options.transactionalId);
    this.#epoch = await committer.change(
      (batch) => {
        const epoch = (disk.get("log", key)?.readUInt32BE(0) ?? 0) + 1;
        const row = Buffer.allocUnsafe(4);
        row.writeUInt32BE(epoch, 0);
        batch.put("log", key, row);
        return epoch;
      },
      () => control.fenced(),
    );
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

  /** Does its work before it returns, unless another thread holds the lock; then it waits for that without blocking. */
  commit(request: CommitRequest): Promise<void> {
    if (this.#state !== "ready") return Promise.reject(this.#unusable());
    try {
      const rows = this.#committedRows(request);
      const outputs = this.#outputs.take();
      this.#state = "committing";
      const done = this.#deps.committer.commit({
        outputs,
        check: () => this.#refuseFenced(),
        extend: (batch) => extend(batch, rows, request),
      });
      if (done instanceof Promise)
        return done.then(
          () => this.#committed(outputs),
          (error: unknown) => this.#lost(error),
        );
      this.#committed(outputs);
      return Promise.resolve();
    } catch (error) {
      return this.#lost(error);
    }
  }

  close(): Promise<void> {
    this.#state = "dead";
    return Promise.resolve();
  }

  #committed(outputs: readonly PendingOutput<PartitionSlot>[]): void {
    this.#outputs.recycle(outputs);
    if (this.#state === "committing") this.#state = "ready";
  }

  #lost(error: unknown): Promise<never> {
    this.#state = "dead";
    if (error instanceof LogError && error.code !== "UNKNOWN_TOPIC") return Promise.reject(error);
    const refused = new WriterLostError(
      "COMMIT_REFUSED",
      `The commit of ${this.#options.transactionalId} could not be prepared; nothing of it was written. Its cause says why.`,
      { cause: error },
    );
    return Promise.reject(refused);
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

  /** The epoch is read only after some writer of any id was initialised: rare. */
  #refuseFenced(): void {
    const { control, disk } = this.#deps;
    const fences = control.fences;
    if (fences === this.#fencesSeen) return;
    const epoch = disk.get("log", epochKey(this.#options.transactionalId))?.readUInt32BE(0);
    if (epoch !== this.#epoch)
      throw new WriterLostError(
        "WRITER_FENCED",
        `A newer writer has taken the id ${this.#options.transactionalId}. Give up its partitions.`,
      );
    this.#fencesSeen = fences;
  }

  /** Resolved before anything is handed over: a commit that cannot be written as it is changes nothing. */
  #committedRows(request: CommitRequest): readonly CommittedRow[] {
    return request.offsets.map((commit) => {
      if (Buffer.byteLength(commit.metadata) > METADATA_BYTES_MAX)
        throw new WriterLostError(
          "COMMIT_REFUSED",
          `The metadata of ${commit.topic}/${commit.partition} is above ${METADATA_BYTES_MAX} bytes. Keep less in it.`,
          commit,
        );
      const { topicId } = this.#deps.catalog.partition(commit.topic, commit.partition);
      return { key: committedKey(this.#options.group, topicId, commit.partition), value: encodeCommitted(commit.offset, commit.metadata) };
    });
  }
}

interface CommittedRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

function extend(batch: DiskBatch, committed: readonly CommittedRow[], request: CommitRequest): void {
  for (const { key, value } of committed) batch.put("log", key, value);
  for (const { key, value } of request.rows) {
    if (value === null) batch.delete("rows", key);
    else batch.put("rows", key, value);
  }
}
