/** Keeps the buffers of one reader filled: long polls at each leader, a few side by side, each for the partitions that have room. */
import { LogError } from "../../errors.ts";
import type { BlockCompression } from "../../record-batch/block-compression.ts";
import type { Cluster } from "../client/cluster.ts";
import { NONE, OFFSET_OUT_OF_RANGE, reactionTo } from "../client/error-codes.ts";
import { backoffMs } from "../client/retrying.ts";
import { refusedError } from "../client/rights.ts";
import { WireError } from "../client/wire-error.ts";
import {
  ASK_MS_MAX,
  BUFFER_BYTES_MAX,
  FETCH_BYTES_MAX,
  FETCH_PARTITION_BYTES_MAX,
  FETCH_WAIT_MS_MAX,
  FETCHES_PER_BROKER,
} from "../defaults.ts";
import { committedOf } from "./abort-filter.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import type { FetchPosition } from "./fetch-position.ts";

export interface FetchLoopDependencies {
  readonly cluster: Cluster;
  readonly compression: BlockCompression;
  /** Something may be polled that was not there before. */
  readonly arrived: () => void;
  /** Names the loop's sockets. */
  readonly lane: number;
}

const START = -2;
const END = -1;

export class FetchLoop {
  readonly #deps: FetchLoopDependencies;
  #positions: readonly FetchPosition[] = [];
  /** Sockets in use by leader. */
  readonly #slots = new Map<number, Set<number>>();
  #failures = 0;
  #resting: (() => void) | undefined;
  #closed = false;

  constructor(deps: FetchLoopDependencies) {
    this.#deps = deps;
  }

  /** From now on these are fetched; those that are not among them were dropped by the caller. */
  assign(positions: readonly FetchPosition[]): void {
    this.#positions = positions;
    this.pump();
  }

  /** Room was made, or something was resumed. */
  pump(): void {
    if (this.#closed || this.#resting !== undefined) return;
    let leaderless = false;
    const ready = new Map<number, FetchPosition[]>();
    for (const position of this.#positions) {
      if (!hasRoom(position)) continue;
      const topic = this.#deps.cluster.topic(position.topic);
      this.#look(position, topic?.topicId);
      if (position.error !== undefined) continue;
      const leader = topic?.leaders[position.partition] ?? -1;
      if (leader < 0) leaderless = true;
      else ready.set(leader, [...(ready.get(leader) ?? []), position]);
    }
    for (const [leader, positions] of ready) this.#start(leader, positions);
    if (leaderless) this.#rest();
  }

  close(): void {
    this.#closed = true;
    this.#resting?.();
    this.#resting = undefined;
  }

  /** A topic that is gone for longer than brokers take to tell each other, or that is another one of the same name, is told. */
  #look(position: FetchPosition, topicId: string | undefined): void {
    const now = this.#deps.cluster.surroundings.now();
    const { topic } = position;
    if (topicId === undefined) {
      position.missingSince ??= now;
      if (now - position.missingSince <= ASK_MS_MAX) return;
      position.error = new LogError(
        "UNKNOWN_TOPIC",
        `Topic ${topic} is gone, or may not be seen any more. Bring it back, or check the rights.`,
        {
          topic,
        },
      );
    } else {
      position.missingSince = undefined;
      position.topicId ??= topicId;
      if (position.topicId === topicId) return;
      const message = `Topic ${topic} was deleted and made anew while it was read: its offsets are others now. Choose where to go on.`;
      position.error = new LogError("TOPIC_MISMATCH", message, { topic });
    }
    this.#deps.arrived();
  }

  #start(leader: number, positions: readonly FetchPosition[]): void {
    const slots = this.#slots.get(leader) ?? new Set();
    this.#slots.set(leader, slots);
    // What was never asked for does not wait for long polls of what has nothing: a task that was just taken over waits for it.
    const most = positions.some(({ asked }) => !asked) ? FETCHES_PER_BROKER + 1 : FETCHES_PER_BROKER;
    const slot = Array.from({ length: most }, (_, each) => each).find((each) => !slots.has(each));
    if (slot === undefined) return;
    slots.add(slot);
    for (const position of positions) {
      position.busy = true;
      position.asked = true;
    }
    const release = (): void => {
      slots.delete(slot);
      for (const position of positions) position.busy = false;
    };
    this.#fetch(leader, slot, positions).then(
      (answered) => {
        release();
        if (answered) this.#failures = 0;
        else this.#rest();
        this.pump();
      },
      (error: unknown) => {
        release();
        this.#failed(error, positions);
      },
    );
  }

  /** False when leaders must be asked for anew before it goes on. */
  async #fetch(leader: number, slot: number, positions: readonly FetchPosition[]): Promise<boolean> {
    const { cluster, lane } = this.#deps;
    const to = cluster.broker(leader, `fetch/${lane}/${slot}`);
    const partitions = positions.map(({ topicId = "", partition, fetchOffset: offset, epoch }) => ({
      topicId,
      partition,
      offset,
      bytesMax: FETCH_PARTITION_BYTES_MAX,
      ...(epoch < 0 ? {} : { lastEpoch: epoch }),
    }));
    const response = await cluster.wire.fetch(to, { waitMsMax: FETCH_WAIT_MS_MAX, bytesMax: FETCH_BYTES_MAX, partitions });
    if (this.#closed) return true;
    if (response.errorCode !== NONE) return false;
    let answered = true;
    let arrived = false;
    for (const [index, position] of positions.entries()) {
      const asked = partitions[index];
      const found = response.partitions.find((each) => each.partition === position.partition && each.topicId === asked?.topicId);
      if (found === undefined || position.dropped) continue;
      if (found.errorCode === NONE) arrived = this.#take(position, found) || arrived;
      else if (found.errorCode === OFFSET_OUT_OF_RANGE) {
        answered = (await this.#move(position, found)) && answered;
        arrived = true;
      } else if (reactionTo(found.errorCode) === "refresh" || reactionTo(found.errorCode) === "retry") answered = false;
      else {
        position.error = refusal(position, found.errorCode, cluster.principal);
        arrived = true;
      }
    }
    if (arrived) this.#deps.arrived();
    return answered;
  }

  /** True when there is something new to poll. */
  #take(position: FetchPosition, found: FetchedPartition): boolean {
    if (found.cutAt !== undefined) return this.#cut(position, found, found.cutAt);
    const moved = found.stableOffset > position.stableOffset;
    position.stableOffset = found.stableOffset;
    if (found.records.length === 0) return moved;
    const before = position.fetchOffset;
    try {
      const { batches, nextOffset, epoch } = committedOf(found, before);
      if (epoch >= 0) position.epoch = epoch;
      for (const { bytes, baseOffset, nextOffset: next, recordCount } of batches)
        position.push({ bytes: this.#deps.compression.decompress(bytes, baseOffset), baseOffset, nextOffset: next, recordCount });
      if (nextOffset > position.fetchOffset) position.push({ bytes: undefined, baseOffset: nextOffset, nextOffset, recordCount: 0 });
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      position.error = error;
      return true;
    }
    return moved || position.fetchOffset > before;
  }

  /** A leader that had not all of it came, and what was read beyond is gone: as if the offset were out of range, told apart. */
  #cut(position: FetchPosition, found: FetchedPartition, cutAt: number): true {
    position.epoch = -1;
    if (position.outOfRange === "fail") position.error = outOfRange(position, found, cutAt);
    else position.push({ bytes: undefined, baseOffset: cutAt, nextOffset: cutAt, recordCount: 0 });
    return true;
  }

  /** The offset is not held (any more): goes where the policy says. False when who leads must be asked for anew. */
  async #move(position: FetchPosition, found: FetchedPartition): Promise<boolean> {
    const { cluster } = this.#deps;
    if (position.epoch >= 0) {
      // An epoch that the broker has forgotten with the records of it is refused alike: asked without it, the offset may be there.
      position.epoch = -1;
      return true;
    }
    if (position.outOfRange === "fail") {
      position.error = outOfRange(position, found);
      return true;
    }
    const bound = position.outOfRange === "start" ? START : END;
    const to = cluster.leader(position.topic, position.partition, "ask");
    const { errorCode, offset } = await cluster.wire.listOffset(to, position, "committed", bound);
    // Otherwise the next fetch is out of range again and comes back here.
    if (errorCode !== NONE) return false;
    if (!position.dropped) position.push({ bytes: undefined, baseOffset: offset, nextOffset: offset, recordCount: 0 });
    return true;
  }

  #failed(error: unknown, positions: readonly FetchPosition[]): void {
    if (this.#closed) return;
    if (error instanceof WireError && error.failure !== "refused") {
      this.#rest();
      return;
    }
    const lost =
      error instanceof LogError ? error : new LogError("LOG_UNAVAILABLE", `Fetching failed: ${String(error)}.`, { cause: error });
    for (const position of positions) position.error = lost;
    this.#deps.arrived();
  }

  /** Waits with growing pauses and asks for the leaders, so that a cluster in trouble is not stormed. */
  #rest(): void {
    if (this.#closed || this.#resting !== undefined) return;
    const { cluster } = this.#deps;
    const { random, after } = cluster.surroundings;
    this.#resting = after(backoffMs(this.#failures++, random(), false), () => {
      const resume = (): void => {
        this.#resting = undefined;
        this.pump();
      };
      cluster.refresh().then(resume, resume);
    });
  }
}

function hasRoom(position: FetchPosition): boolean {
  return !position.busy && !position.paused && position.error === undefined && position.bufferedBytes < BUFFER_BYTES_MAX / 2;
}

function refusal({ topic, partition }: FetchPosition, code: number, principal: string): LogError {
  const what = `to let ${topic}/${partition} be read`;
  return refusedError({ code, what, needs: `Read on the topic ${topic}`, principal }, { topic, partition });
}

function outOfRange(
  { topic, partition, fetchOffset }: FetchPosition,
  { startOffset, highWatermark }: FetchedPartition,
  cutAt?: number,
): LogError {
  const why =
    cutAt === undefined
      ? `holds offsets ${startOffset} to ${highWatermark}, but ${fetchOffset} is to be read. Choose where to go on: what is missing was deleted or never written.`
      : `was cut at ${cutAt} by a change of its leader, and was read up to ${fetchOffset}: records that were read are gone. Choose where to go on.`;
  return new LogError("OFFSET_OUT_OF_RANGE", `${topic}/${partition} ${why}`, { topic, partition, offset: fetchOffset });
}
