/**
 * The transaction coordinator, all of its partitions in one: who owns a transactional id under which epoch, and what its
 * transaction has touched.
 *
 *     empty ──add──▶ ongoing ──end, fence or too old──▶ preparing ──all markers written──▶ complete ──add──▶ ongoing
 *
 * The end is acknowledged while the markers are still on their way: until they are there, everything else is answered with
 * CONCURRENT_TRANSACTIONS.
 */
import type { Surroundings } from "../defaults.ts";
import type { ProducerIdentity, TransactionIdentity, TransactionVersion } from "../client/wire-contract.ts";

/** Where markers go: a partition of a topic, or the offsets of a group. */
export interface MarkerTarget {
  readonly name: string;
  /** False while it cannot be written: it is tried again. */
  write(producer: ProducerIdentity, commit: boolean): boolean;
}

export interface TransactionCoordinatorOptions {
  readonly transactionVersion: TransactionVersion;
  readonly surroundings: Surroundings;
  /** Drawn anew for each marker. */
  readonly markerMs: () => number;
  /** How often transactions that are too old are looked for. */
  readonly timeoutCheckMs: number;
  /** Of new producer ids; above 0 to meet the end of the epochs sooner. */
  readonly firstEpoch: number;
}

export interface IdentityAnswer extends ProducerIdentity {
  readonly errorCode: number;
}

type State = "empty" | "ongoing" | "preparing" | "complete";

interface Transaction {
  identity: ProducerIdentity;
  /** Of the identity before the present one, when its owner may still ask with it. */
  last: ProducerIdentity | undefined;
  state: State;
  timeoutMs: number;
  beganAt: number;
  committed: boolean;
  readonly targets: Map<string, MarkerTarget>;
}

const NONE = 0;
const INVALID_PRODUCER_EPOCH = 47;
const INVALID_TXN_STATE = 48;
const INVALID_PRODUCER_ID_MAPPING = 49;
const CONCURRENT_TRANSACTIONS = 51;
const PRODUCER_FENCED = 90;
const TRANSACTION_ABORTABLE = 120;
const EPOCH_MAX = 32_767;
const NO_IDENTITY: ProducerIdentity = { producerId: -1n, producerEpoch: -1 };
const RETRY_MARKER_MS = 20;

export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions;
  readonly #transactions = new Map<string, Transaction>();
  #nextProducerId = 0n;
  #watching = false;

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options;
  }

  /** Transactions whose markers are still to be written, or that are open. */
  get unfinished(): number {
    return [...this.#transactions.values()].filter(({ state }) => state === "ongoing" || state === "preparing").length;
  }

  newProducer(): ProducerIdentity {
    return { producerId: this.#nextProducerId++, producerEpoch: this.#options.firstEpoch };
  }

  initialize(id: string, timeoutMs: number, present: ProducerIdentity | undefined): IdentityAnswer {
    const known = this.#transactions.get(id);
    if (known === undefined) {
      const identity = this.newProducer();
      const made: Transaction = { identity, last: undefined, state: "empty", timeoutMs, beganAt: 0, committed: false, targets: new Map() };
      this.#transactions.set(id, made);
      return { errorCode: NONE, ...identity };
    }
    if (present !== undefined && !isOwn(known, present)) return { errorCode: PRODUCER_FENCED, ...NO_IDENTITY };
    if (known.state === "preparing") return { errorCode: CONCURRENT_TRANSACTIONS, ...NO_IDENTITY };
    if (known.state === "ongoing") {
      this.#fence(known);
      return { errorCode: CONCURRENT_TRANSACTIONS, ...NO_IDENTITY };
    }
    if (present !== undefined && present.producerEpoch !== known.identity.producerEpoch) {
      // The answer to an earlier try was lost.
      const repeated = known.last !== undefined && present.producerEpoch === known.last.producerEpoch;
      if (!repeated) return { errorCode: PRODUCER_FENCED, ...NO_IDENTITY };
      known.state = "empty";
      return { errorCode: NONE, ...known.identity };
    }
    known.last = present === undefined ? undefined : known.identity;
    known.identity = this.#after(known.identity);
    known.timeoutMs = timeoutMs;
    known.state = "empty";
    return { errorCode: NONE, ...known.identity };
  }

  /** Version 1: by the producer. Version 2: by the leader or group coordinator that is written to. */
  add(transaction: TransactionIdentity, targets: readonly MarkerTarget[]): number {
    const known = this.#transactions.get(transaction.transactionalId);
    const refused = refusalOf(known, transaction);
    if (known === undefined || refused !== NONE) return refused;
    if (known.state === "preparing") return CONCURRENT_TRANSACTIONS;
    if (known.state !== "ongoing") {
      known.state = "ongoing";
      known.beganAt = this.#options.surroundings.now();
      this.#watch();
    }
    for (const target of targets) known.targets.set(target.name, target);
    return NONE;
  }

  /** Version 1: a leader asks before the first batch of a transaction. */
  verify(transaction: TransactionIdentity, target: string): number {
    const known = this.#transactions.get(transaction.transactionalId);
    const refused = refusalOf(known, transaction);
    if (known === undefined || refused !== NONE) return refused;
    if (known.state === "preparing") return CONCURRENT_TRANSACTIONS;
    return known.state === "ongoing" && known.targets.has(target) ? NONE : INVALID_TXN_STATE;
  }

  end(
    transaction: TransactionIdentity,
    version: TransactionVersion,
    commit: boolean,
  ): { readonly errorCode: number; readonly next: ProducerIdentity | undefined } {
    const known = this.#transactions.get(transaction.transactionalId);
    const repeated = version === 2 && known?.last !== undefined && isSame(known.last, transaction);
    if (known !== undefined && repeated && known.state !== "ongoing") {
      if (known.state === "preparing")
        return { errorCode: known.committed === commit ? CONCURRENT_TRANSACTIONS : INVALID_TXN_STATE, next: undefined };
      if (known.state === "complete" && known.committed === commit) return { errorCode: NONE, next: known.identity };
      return { errorCode: known.state === "complete" ? INVALID_TXN_STATE : PRODUCER_FENCED, next: undefined };
    }
    const refused = refusalOf(known, transaction);
    if (known === undefined || refused !== NONE) return { errorCode: refused, next: undefined };
    if (known.state === "preparing")
      return { errorCode: known.committed === commit ? CONCURRENT_TRANSACTIONS : INVALID_TXN_STATE, next: undefined };
    if (known.state !== "ongoing") {
      if (version === 1)
        return { errorCode: known.state === "complete" && known.committed === commit ? NONE : INVALID_TXN_STATE, next: undefined };
      // In version 2 an abort of nothing gives a new epoch all the same; a commit of nothing is a mistake.
      if (commit) return { errorCode: INVALID_TXN_STATE, next: undefined };
    }
    this.#prepare(known, commit, version === 2);
    return { errorCode: NONE, next: version === 2 ? known.identity : undefined };
  }

  /** The markers carry the new epoch: whatever the old owner still sends is older. */
  #fence(known: Transaction): void {
    const before = known.identity;
    known.identity = { ...before, producerEpoch: before.producerEpoch + 1 };
    // In version 2 the old owner may still ask what became of it, and go on with the new epoch if nobody else has come.
    known.last = this.#options.transactionVersion === 2 ? before : undefined;
    this.#prepare(known, false, false);
  }

  #prepare(known: Transaction, commit: boolean, newEpoch: boolean): void {
    const markers = newEpoch ? { ...known.identity, producerEpoch: known.identity.producerEpoch + 1 } : known.identity;
    if (newEpoch) {
      known.last = known.identity;
      known.identity = this.#after(known.identity);
    }
    known.committed = commit;
    known.state = known.targets.size === 0 ? "complete" : "preparing";
    for (const target of known.targets.values()) this.#mark(known, target, markers);
  }

  #mark(known: Transaction, target: MarkerTarget, markers: ProducerIdentity, waitMs = this.#options.markerMs()): void {
    const write = (): void => {
      if (!target.write(markers, known.committed)) {
        this.#mark(known, target, markers, RETRY_MARKER_MS);
        return;
      }
      known.targets.delete(target.name);
      if (known.targets.size === 0) known.state = "complete";
    };
    this.#options.surroundings.after(waitMs, write);
  }

  #after({ producerId, producerEpoch }: ProducerIdentity): ProducerIdentity {
    if (producerEpoch + 1 >= EPOCH_MAX) return { ...this.newProducer(), producerEpoch: 0 };
    return { producerId, producerEpoch: producerEpoch + 1 };
  }

  /** One timer for all, and none while nothing is open. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const { surroundings, timeoutCheckMs } = this.#options;
    surroundings.after(timeoutCheckMs, () => {
      this.#watching = false;
      const ongoing = [...this.#transactions.values()].filter(({ state }) => state === "ongoing");
      for (const known of ongoing) if (surroundings.now() - known.beganAt > known.timeoutMs) this.#fence(known);
      if (ongoing.some(({ state }) => state === "ongoing")) this.#watch();
    });
  }
}

/** The present identity, or the one before it: its owner may not have heard of the change. */
function isOwn({ identity, last }: Transaction, present: ProducerIdentity): boolean {
  return present.producerId === identity.producerId || (last !== undefined && isSame(last, present));
}

function isSame(one: ProducerIdentity, other: ProducerIdentity): boolean {
  return one.producerId === other.producerId && one.producerEpoch === other.producerEpoch;
}

function refusalOf(known: Transaction | undefined, { producerId, producerEpoch }: TransactionIdentity): number {
  if (known === undefined || known.identity.producerId !== producerId) return INVALID_PRODUCER_ID_MAPPING;
  if (known.identity.producerEpoch !== producerEpoch) return PRODUCER_FENCED;
  return NONE;
}

/** What leaders and group coordinators say where the transaction coordinator says this. */
export function asEntryCode(code: number): number {
  if (code === PRODUCER_FENCED) return INVALID_PRODUCER_EPOCH;
  return code === INVALID_TXN_STATE ? TRANSACTION_ABORTABLE : code;
}
