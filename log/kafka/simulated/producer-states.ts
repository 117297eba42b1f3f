/** What a partition leader remembers of each producer: its epoch, its last batches and the transaction that it has open there. */

/** Of Kafka: batches whose repetition is recognised. */
const BATCHES_REMEMBERED = 5;
const SEQUENCE_MODULUS = 0x8000_0000;
const NONE = 0;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const INVALID_PRODUCER_EPOCH = 47;

interface StoredBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

interface ProducerState {
  epoch: number;
  batches: StoredBatch[];
  /** Of the open transaction. */
  firstOffset: number | undefined;
}

export interface ProducedBatch {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly count: number;
}

export class ProducerStates {
  readonly #states = new Map<bigint, ProducerState>();
  readonly #entering = new Map<bigint, { readonly epoch: number; readonly lowest: number; readonly version: 1 | 2 }>();

  /** Undefined when none is open; all offsets below it are stable. */
  get firstUnstable(): number | undefined {
    let first: number | undefined;
    for (const { firstOffset } of this.#states.values())
      if (firstOffset !== undefined && (first === undefined || firstOffset < first)) first = firstOffset;
    return first;
  }

  isOpen(producerId: bigint, epoch: number): boolean {
    const state = this.#states.get(producerId);
    return state !== undefined && state.epoch === epoch && state.firstOffset !== undefined;
  }

  openSince(producerId: bigint): number | undefined {
    return this.#states.get(producerId)?.firstOffset;
  }

  /** The base offset of the batch if it is stored already. */
  duplicateOf({ producerId, producerEpoch, firstSequence, count }: ProducedBatch): number | undefined {
    const state = this.#states.get(producerId);
    if (state === undefined || state.epoch !== producerEpoch) return undefined;
    const lastSequence = (firstSequence + count - 1) % SEQUENCE_MODULUS;
    return state.batches.find((each) => each.firstSequence === firstSequence && each.lastSequence === lastSequence)?.baseOffset;
  }

  /** Before the first batch of a transaction is stored, its partition is asked for: meanwhile the lowest sequence is kept. */
  entering({ producerId, producerEpoch, firstSequence }: Omit<ProducedBatch, "count">, version: 1 | 2): void {
    const known = this.#entering.get(producerId);
    if (known !== undefined && known.epoch > producerEpoch) return;
    const lowest = known?.epoch === producerEpoch ? Math.min(known.lowest, firstSequence) : firstSequence;
    this.#entering.set(producerId, { epoch: producerEpoch, lowest, version });
  }

  /** A producer that is not known (any more) may go on where it is, but not in a transaction of version 2. */
  check({ producerId, producerEpoch, firstSequence }: ProducedBatch): number {
    const state = this.#states.get(producerId);
    const entering = this.#entering.get(producerId);
    if (entering !== undefined && entering.epoch === producerEpoch && firstSequence > entering.lowest) return OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (state === undefined) return entering?.version === 2 && firstSequence !== 0 ? OUT_OF_ORDER_SEQUENCE_NUMBER : NONE;
    if (producerEpoch < state.epoch) return INVALID_PRODUCER_EPOCH;
    if (producerEpoch > state.epoch) return firstSequence === 0 ? NONE : OUT_OF_ORDER_SEQUENCE_NUMBER;
    const last = state.batches.at(-1)?.lastSequence ?? -1;
    return firstSequence === (last + 1) % SEQUENCE_MODULUS ? NONE : OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  stored({ producerId, producerEpoch, firstSequence, count }: ProducedBatch, baseOffset: number, transactional: boolean): void {
    const state = this.#of(producerId, producerEpoch);
    this.#entering.delete(producerId);
    state.batches.push({ firstSequence, lastSequence: (firstSequence + count - 1) % SEQUENCE_MODULUS, baseOffset });
    if (state.batches.length > BATCHES_REMEMBERED) state.batches.shift();
    if (transactional) state.firstOffset ??= baseOffset;
  }

  /** False for a marker of an older epoch, which is not written. */
  takesMarker(producerId: bigint, epoch: number): boolean {
    return epoch >= (this.#states.get(producerId)?.epoch ?? -1);
  }

  ended(producerId: bigint, epoch: number): void {
    this.#entering.delete(producerId);
    this.#of(producerId, epoch).firstOffset = undefined;
  }

  #of(producerId: bigint, epoch: number): ProducerState {
    let state = this.#states.get(producerId);
    if (state === undefined) this.#states.set(producerId, (state = { epoch, batches: [], firstOffset: undefined }));
    if (state.epoch !== epoch) {
      state.epoch = epoch;
      state.batches = [];
    }
    return state;
  }
}
