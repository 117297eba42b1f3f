/** What `maintain` does: every partition in turn, a bounded amount per call, going on where the last call stopped. */
import { MAINTAIN_BYTES_MAX, SLICE_BYTES_MAX, yieldToLoop } from "../defaults.ts";
import type { TopicCatalog, TopicEntry } from "../topic-catalog.ts";
import { Compaction } from "./compaction.ts";
import { Retention } from "./retention.ts";
import type { UpkeepDependencies } from "./retention.ts";

interface Turn {
  readonly entry: TopicEntry;
  readonly partition: number;
}

export class Upkeep {
  readonly #catalog: TopicCatalog;
  readonly #retention: Retention;
  readonly #compaction: Compaction;
  #next = 0;
  #running: Promise<void> | undefined;

  constructor(catalog: TopicCatalog, deps: UpkeepDependencies) {
    this.#catalog = catalog;
    this.#retention = new Retention(deps);
    this.#compaction = new Compaction(deps);
  }

  /** A call while another runs waits for that one and does nothing more. */
  run(now: number): Promise<void> {
    this.#running ??= this.#run(now).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(now: number): Promise<void> {
    const turns = this.#catalog
      .all()
      .flatMap((entry) => Array.from({ length: entry.config.partitions }, (_, partition): Turn => ({ entry, partition })));
    let left = MAINTAIN_BYTES_MAX;
    let slice = 0;
    for (let done = 0; done < turns.length && left > 0;) {
      const { entry, partition } = turns[this.#next % turns.length] as Turn;
      const bytesMax = Math.min(left, SLICE_BYTES_MAX);
      let looked = await this.#retention.run(entry, partition, now, bytesMax);
      if (looked < bytesMax && entry.config.cleanup === "compact")
        looked += await this.#compaction.run(entry, partition, now, bytesMax - looked);
      left -= looked;
      slice += looked;
      if (looked < bytesMax) {
        this.#next = (this.#next + 1) % turns.length;
        done += 1;
      }
      if (slice < SLICE_BYTES_MAX) continue;
      slice = 0;
      await yieldToLoop();
    }
  }
}
