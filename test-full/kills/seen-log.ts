/**
 * What a reader has seen of a log must stay: while the demo lives, how many records it served; after each kill, a running
 * digest of every record. At the end the log is read from its start and must come to the same digest.
 */
import { createHash, type Hash } from "node:crypto";
import { readTopic, type System } from "#cli";
import type { Topic } from "#streams";

/** Of one topic. */
interface Seen {
  /** Records by partition when it was last read. */
  readonly next: Map<number, number>;
  readonly digests: Map<number, Hash>;
}

const names = [
  "orders",
  "rides",
  "driverEvents",
  "assignments",
  "trips",
  "bills",
  "refusals",
  "jobUpdates",
  "driverCommands",
  "matchingInput",
] as const;

export class SeenLog {
  readonly #topics = new Map<string, Seen>();
  #served = new Map<string, number>();
  #records = 0;

  /** Records in the digests. */
  get records(): number {
    return this.#records;
  }

  /** Asks the living demo; silence is no news. */
  async ask(url: string): Promise<void> {
    try {
      const response = await fetch(`${url}/v1/topics`, { signal: AbortSignal.timeout(1_000) });
      const topics = (await response.json()) as readonly { readonly name: string; readonly records: number }[]; // TopicSummary
      this.#served = new Map(topics.map(({ name, records }) => [name, records]));
    } catch {
      // It may have just been killed, or not be there yet.
    }
  }

  /** Takes in what is new; answers with what is missing of what was served. */
  async read(system: System): Promise<readonly string[]> {
    for (const name of names) await this.#readOn(system, system.topics[name] as Topic<string, unknown>);
    const lost: string[] = [];
    for (const [name, served] of this.#served) {
      const held = [...(this.#topics.get(name)?.next.values() ?? [])].reduce((sum, next) => sum + next, 0);
      if (this.#topics.has(name) && held < served) lost.push(`${name}: ${served} records were served, ${held} are there`);
    }
    this.#served = new Map();
    return lost;
  }

  /** Compares everything there is now with what was there when it was written. */
  async reread(system: System): Promise<readonly string[]> {
    const fresh = new SeenLog();
    await fresh.read(system);
    const changed: string[] = [];
    for (const [name, { digests }] of this.#topics)
      for (const [partition, digest] of digests) {
        const now = fresh.#topics.get(name)?.digests.get(partition)?.copy().digest("hex");
        if (now !== digest.copy().digest("hex")) changed.push(`${name}-${partition}: not what was read after earlier kills`);
      }
    return changed;
  }

  async #readOn({ log }: System, topic: Topic<string, unknown>): Promise<void> {
    let seen = this.#topics.get(topic.name);
    if (seen === undefined) this.#topics.set(topic.name, (seen = { next: new Map(), digests: new Map() }));
    for await (const { partition, offset, timestamp, value } of readTopic(log, topic)) {
      if (offset < (seen.next.get(partition) ?? 0)) continue;
      let digest = seen.digests.get(partition);
      if (digest === undefined) seen.digests.set(partition, (digest = createHash("sha256")));
      digest.update(`${offset} ${timestamp} ${JSON.stringify(value)}\n`);
      seen.next.set(partition, offset + 1);
      this.#records++;
    }
  }
}
