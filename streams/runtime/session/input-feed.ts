/** Brings fetched blocks into the buffers of the tasks, and pauses a partition at the mark until its buffer is half empty. */
import type { Reader } from "#log";
import type { InputPartition } from "../../task/input-partition.ts";
import type { Task } from "../../task/task.ts";

export class InputFeed {
  readonly #reader: Reader;
  #inputs: readonly InputPartition[] = [];
  readonly #byTopic = new Map<string, InputPartition[]>();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** From now on these are fed: those that were fed before go on where they are, the others begin at their positions. */
  feedOnly(tasks: readonly Task[]): void {
    const before = new Set(this.#inputs);
    this.#inputs = tasks.flatMap(({ inputs }) => inputs);
    this.#byTopic.clear();
    for (const input of this.#inputs) {
      const { name } = input.topic;
      const partitions = this.#byTopic.get(name) ?? [];
      this.#byTopic.set(name, partitions);
      partitions[input.partition] = input;
    }
    this.#reader.assign(
      this.#inputs.map((input) => {
        const at = { topic: input.topic.name, partition: input.partition };
        return {
          ...at,
          offset: before.has(input) ? this.#reader.position(at) : input.position,
          // Records that may be dead-lettered may also have been deleted by retention; the others must never be missed in silence.
          outOfRange: input.topic.outOfRange ?? (input.topic.onFailure === "stop" ? "fail" : "start"),
        };
      }),
    );
  }

  /** Answers whether something came. What the reader throws passes through. */
  feed(): boolean {
    this.#resume();
    const batches = this.#reader.poll();
    for (const batch of batches) {
      const input = this.#byTopic.get(batch.topic)?.[batch.partition];
      if (input === undefined) continue;
      input.add(batch);
      if (!input.full || input.paused) continue;
      input.paused = true;
      this.#reader.pause(batch);
    }
    return batches.length > 0;
  }

  #resume(): void {
    for (const input of this.#inputs) {
      if (!input.paused || !input.halfEmpty) continue;
      input.paused = false;
      this.#reader.resume({ topic: input.topic.name, partition: input.partition });
    }
  }
}
