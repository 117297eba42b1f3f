/** Topics of the embedded log: rows of the catalog, written inside the lock. */
import type { TopicConfig, TopicPartition, Topics } from "../log.ts";
import type { Committer } from "./commit/committer.ts";
import { boundsKey } from "./keys.ts";
import type { SharedControl } from "./shared-control.ts";
import { encodeBounds } from "./topic-catalog.ts";
import type { TopicCatalog } from "./topic-catalog.ts";

export class EmbeddedTopics implements Topics {
  readonly #committer: Committer;
  readonly #control: SharedControl;
  readonly #catalog: TopicCatalog;

  constructor(committer: Committer, control: SharedControl, catalog: TopicCatalog) {
    this.#committer = committer;
    this.#control = control;
    this.#catalog = catalog;
  }

  /** Retention and record limit of an existing topic follow the last `ensure` that names them. */
  async ensure(configs: readonly TopicConfig[]): Promise<void> {
    await this.#committer.change(
      (batch) => this.#catalog.ensure(configs, batch),
      () => this.#control.catalogChanged(),
    );
  }

  async describe(name: string): Promise<TopicConfig | undefined> {
    return this.#catalog.find(name)?.config;
  }

  async list(): Promise<readonly TopicConfig[]> {
    return this.#catalog.all().map((entry) => entry.config);
  }

  /** Only moves the start; `maintain` frees the blocks. */
  async deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void> {
    const { slot, topicId } = this.#catalog.partition(partition.topic, partition.partition);
    await this.#committer.change(
      (batch) => {
        const end = this.#control.end(slot);
        const start = Math.min(Math.max(this.#control.start(slot), beforeOffset), end);
        batch.put("log", boundsKey(topicId, partition.partition), encodeBounds({ start, end, bytes: this.#control.bytes(slot) }));
        return start;
      },
      (start) => this.#control.publishStart(slot, start),
    );
  }
}
