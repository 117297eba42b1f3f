/** What a commit says to the changelogs, and what its rows say of them afterwards. */
import type { Disk, DiskBatch } from "#disk";
import { RecordRefusedError, WriterLostError, type OffsetCommit, type Writer } from "#log";
import type { SealedChange } from "#state";
import { TaskRebuildError } from "../errors.ts";
import { changelogTopic } from "./changelog.ts";
import { changelogPositionKey, inputPositionKey, putPosition, readPosition } from "./position-rows.ts";

export interface ChangelogWriterOptions {
  readonly applicationId: string;
  readonly writer: Writer;
  readonly storeIds: ReadonlyMap<string, number>;
  readonly disk: Disk;
}

/** A changelog partition that a commit wrote to. */
export interface TouchedChangelog {
  readonly topic: string;
  readonly partition: number;
  readonly positionKey: Buffer;
}

export class ChangelogWriter {
  readonly #options: ChangelogWriterOptions;
  readonly #topics = new Map<string, string>();

  constructor(options: ChangelogWriterOptions) {
    this.#options = options;
  }

  /**
   * One record per change into the transaction in hand. Throws `COMMIT_REFUSED` when a change is larger than its topic allows:
   * the writer is of no use then, since outputs of the same transaction are in it.
   */
  append(partition: number, changes: readonly SealedChange[]): readonly TouchedChangelog[] {
    const { writer } = this.#options;
    const touched: TouchedChangelog[] = [];
    let store = "";
    let topic = "";
    for (let index = 0; index < changes.length; index++) {
      const change = changes[index] as SealedChange; // in bounds
      if (change.store !== store) {
        store = change.store;
        topic = this.#topicOf(store);
        touched.push({ topic, partition, positionKey: changelogPositionKey(this.#idOf(store), partition) });
      }
      try {
        writer.append(topic, partition, change.timestamp, change.key, change.value);
      } catch (error) {
        throw error instanceof RecordRefusedError ? refused(store, error) : error;
      }
    }
    return touched;
  }

  /**
   * Where rows and inputs are once this commit's rows are written; in the same batch as they. Throws TaskRebuildError when the rows
   * are further already: while this thread slept, another one of this process was given the task, restored this commit and went on.
   */
  putPositions(batch: DiskBatch, touched: readonly TouchedChangelog[], offsets: readonly OffsetCommit[], currentAt: number): void {
    const { writer, disk } = this.#options;
    for (const changelog of touched) {
      const position = writer.committedEnd?.(changelog);
      if (position === undefined) continue;
      const stored = readPosition(disk, changelog.positionKey)?.position ?? 0;
      if (stored > position) throw taken(changelog, stored, position);
      putPosition(batch, changelog.positionKey, { position, currentAt });
    }
    for (const { topic, partition, offset } of offsets)
      putPosition(batch, inputPositionKey(topic, partition), { position: offset, currentAt });
  }

  #topicOf(store: string): string {
    let topic = this.#topics.get(store);
    if (topic === undefined) {
      topic = changelogTopic(this.#options.applicationId, store);
      this.#topics.set(store, topic);
    }
    return topic;
  }

  #idOf(store: string): number {
    const id = this.#options.storeIds.get(store);
    if (id === undefined) throw new RangeError(`store ${store} has no id`);
    return id;
  }
}

function taken({ topic, partition }: TouchedChangelog, stored: number, position: number): TaskRebuildError {
  const message = `The rows of ${topic}/${partition} are at ${stored}, beyond the commit that ended at ${position}: the task has another owner.`;
  return new TaskRebuildError("TASK_TAKEN", message, { topic, partition, offset: stored });
}

function refused(store: string, cause: RecordRefusedError): WriterLostError {
  return new WriterLostError("COMMIT_REFUSED", `A change of store ${store} does not fit its changelog. ${cause.message}`, { cause });
}
