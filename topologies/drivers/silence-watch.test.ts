import { describe, expect, test } from "vitest";
import type { PriorityEntry, PriorityQueueStore } from "#state";
import { unknownDriver } from "./driver.ts";
import type { DriverWhereabouts } from "./driver.ts";
import { SilenceWatch } from "./silence-watch.ts";

/** A priority queue without rows. */
class Queue implements PriorityQueueStore<string> {
  readonly name = "silence";
  readonly #entries = new Map<string, PriorityEntry<string>>();
  get size(): number {
    return this.#entries.size;
  }
  get(id: string): PriorityEntry<string> | undefined {
    return this.#entries.get(id);
  }
  put(id: string, priority: number, value: string): void {
    this.#entries.set(id, { id, priority, value });
  }
  delete(id: string): void {
    this.#entries.delete(id);
  }
  peek(): PriorityEntry<string> | undefined {
    return this.entries().next().value;
  }
  entries(): IterableIterator<PriorityEntry<string>> {
    return [...this.#entries.values()].sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1)).values();
  }
}

const TTL = 30_000;
class Scene {
  readonly queue = new Queue();
  readonly drivers = new Map<string, DriverWhereabouts>();
  readonly silent: string[] = [];
  ttlMs = TTL;
  streamTime = 0;
  readonly watch = new SilenceWatch(this.queue, {
    whereabouts: (driverId) => this.drivers.get(driverId),
    ttlMs: () => this.ttlMs,
    streamTime: () => this.streamTime,
    silent: (driverId, at) => {
      this.silent.push(`${driverId} ${at}`);
      this.drivers.set(driverId, { ...this.#of(driverId), duty: "silent" });
    },
  });
  seen(driverId: string, seenAt: number): void {
    this.watch.heard();
    this.streamTime = Math.max(this.streamTime, seenAt);
    this.drivers.set(driverId, { ...unknownDriver("").whereabouts, duty: "on", seenAt });
    this.watch.watch(driverId, this.#of(driverId));
  }
  /** Once a second, as the wall clock does. */
  pass(from: number, to: number): void {
    for (let now = from; now <= to; now += 1_000) this.watch.check(now);
  }
  #of(driverId: string): DriverWhereabouts {
    const driver = this.drivers.get(driverId);
    if (driver === undefined) throw new Error(driverId);
    return driver;
  }
}

describe("a driver without an accepted location", () => {
  test("is silent after the TTL, noticed without any record", () => {
    const scene = new Scene();
    scene.seen("d0", 0);
    scene.pass(1_000, 30_000);
    expect(scene.silent).toEqual([]);
    scene.pass(31_000, 40_000);
    expect(scene.silent).toEqual(["d0 31000"]);
    expect(scene.watch.size).toBe(0);
  });
  test("is silent after the TTL while others go on", () => {
    const scene = new Scene();
    scene.seen("d0", 0);
    for (let now = 1_000; now <= 33_000; now += 1_000) {
      scene.seen("d1", now);
      scene.watch.check(now);
    }
    expect(scene.silent).toEqual(["d0 30000"]);
  });
  test("is looked at again only when the new time is over: armed once, armed again when it fires", () => {
    const scene = new Scene();
    for (let now = 0; now <= 70_000; now += 5_000) {
      scene.seen("d0", now);
      scene.watch.check(now);
    }
    expect(scene.silent).toEqual([]);
    expect(scene.queue.peek()?.priority).toBe(90_000);
  });
  test("after an outage nobody is silent before the task has read what waited meanwhile", () => {
    const scene = new Scene();
    scene.seen("d0", 0);
    scene.seen("d1", 0);
    // Ten minutes later the task reads on, a little at a time; d1 has really stopped.
    let written = 5_000;
    for (let now = 600_000; now <= 640_000; now += 1_000) {
      for (let i = 0; i < 4; i++, written += 5_000) scene.seen("d0", written);
      scene.watch.check(now);
    }
    // Within two looks the task has read past the 30 s of d1.
    expect(scene.silent).toEqual(["d1 601000"]);
  });
  test("after an outage everybody is silent if nothing came for a whole TTL since", () => {
    const scene = new Scene();
    scene.seen("d0", 0);
    scene.pass(600_000, 629_000);
    expect(scene.silent).toEqual([]);
    scene.pass(630_000, 632_000);
    expect(scene.silent).toHaveLength(1);
  });
  test("is not watched off duty, nor where the TTL is 0", () => {
    const scene = new Scene();
    scene.ttlMs = 0;
    scene.seen("d0", 0);
    expect(scene.watch.size).toBe(0);
    scene.ttlMs = TTL;
    scene.seen("d1", 0);
    scene.watch.forget("d1");
    scene.seen("d2", 0);
    scene.ttlMs = 0;
    scene.pass(1_000, 60_000);
    expect(scene.silent).toEqual([]);
    expect(scene.watch.size).toBe(0);
  });
});
