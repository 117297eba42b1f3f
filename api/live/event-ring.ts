/** The newest events, for followers who come back: bounded, found again by where they rest in the log. */
import type { Point } from "#schemas";

/** Written to followers as it is. */
export interface LiveEvent {
  readonly kind: "trip" | "position";
  readonly jobId: string;
  /** Counts the job's published changes; of a position: that of the trip which it was shown under. */
  readonly jobVersion: number;
  /** Where it happens: the driver's position, or the pickup of a trip. */
  readonly point: Point | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly frame: Buffer;
}

export class EventRing {
  readonly #events: (LiveEvent | undefined)[];
  /** Ordinal of each event that is held, by its id. */
  readonly #ordinals = new Map<string, number>();
  /** Of the process: another one has other events, or the same in another order. */
  readonly #epoch: string;
  #next = 0;

  constructor({ epoch, eventsMax }: { readonly epoch: string; readonly eventsMax: number }) {
    this.#epoch = epoch;
    this.#events = Array.from({ length: eventsMax }, () => undefined);
  }

  /** The `id:` of an event: compact, and valid in this process alone. */
  idOf({ kind, partition, offset }: Pick<LiveEvent, "kind" | "partition" | "offset">): string {
    return `${this.#epoch}.${kind === "trip" ? "t" : "p"}${partition.toString(36)}.${offset.toString(36)}`;
  }

  push(event: LiveEvent): void {
    const slot = this.#next % this.#events.length;
    const oldest = this.#events[slot];
    if (oldest !== undefined) this.#ordinals.delete(this.idOf(oldest));
    this.#events[slot] = event;
    this.#ordinals.set(this.idOf(event), this.#next++);
  }

  /** Of the newest event; undefined before the first. */
  get head(): string | undefined {
    const newest = this.#next === 0 ? undefined : this.#events[(this.#next - 1) % this.#events.length];
    return newest === undefined ? undefined : this.idOf(newest);
  }

  /** What came after that event, oldest first; undefined when it is not known any more, or never was. */
  after(id: string): readonly LiveEvent[] | undefined {
    const ordinal = this.#ordinals.get(id);
    if (ordinal === undefined) return undefined;
    const events: LiveEvent[] = [];
    for (let index = ordinal + 1; index < this.#next; index++) {
      const event = this.#events[index % this.#events.length];
      if (event !== undefined) events.push(event);
    }
    return events;
  }
}
