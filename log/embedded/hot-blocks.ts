/** The newest blocks that this thread wrote for partitions it also reads: a reader right behind its writer needs no disk. */
import { HOT_BYTES_MAX } from "./defaults.ts";

interface HotBlock {
  readonly slot: number;
  readonly baseOffset: number;
  /** How many they are; the bytes themselves are in the map alone, so that they are gone when they are evicted. */
  readonly bytes: number;
}

/** Blocks never change once they are in the log, so a hit is always right; what retention deleted, the reader's bounds exclude. */
export class HotBlocks {
  readonly #readers = new Map<number, number>();
  readonly #bySlot = new Map<number, Map<number, Buffer>>();
  #order: HotBlock[] = [];
  #oldest = 0;
  #bytes = 0;

  /** A reader of this thread was assigned the partition: its blocks are worth keeping. */
  watch(slot: number): void {
    this.#readers.set(slot, (this.#readers.get(slot) ?? 0) + 1);
  }

  unwatch(slot: number): void {
    const left = (this.#readers.get(slot) ?? 0) - 1;
    if (left > 0) this.#readers.set(slot, left);
    else this.#readers.delete(slot);
  }

  /** Copies the block when somebody here reads the partition. */
  add(slot: number, baseOffset: number, block: Buffer): void {
    if (!this.#readers.has(slot)) return;
    // Memory of its own: a small block cut out of what all buffers share would keep 64 KiB of it, and only its own are counted here.
    const bytes = Buffer.allocUnsafeSlow(block.length);
    block.copy(bytes);
    let blocks = this.#bySlot.get(slot);
    if (blocks === undefined) this.#bySlot.set(slot, (blocks = new Map<number, Buffer>()));
    blocks.set(baseOffset, bytes);
    this.#order.push({ slot, baseOffset, bytes: bytes.length });
    this.#bytes += bytes.length;
    while (this.#bytes > HOT_BYTES_MAX) this.#evict();
  }

  get(slot: number, baseOffset: number): Buffer | undefined {
    return this.#bySlot.get(slot)?.get(baseOffset);
  }

  #evict(): void {
    const block = this.#order[this.#oldest++];
    if (block === undefined) return;
    this.#bytes -= block.bytes;
    this.#bySlot.get(block.slot)?.delete(block.baseOffset);
    if (this.#oldest < 1024) return;
    this.#order = this.#order.slice(this.#oldest);
    this.#oldest = 0;
  }
}
