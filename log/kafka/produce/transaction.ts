/**
 * The transactional producer's side of the protocol: its identity, and one transaction at a time from first record to end.
 *
 *     version 1   announce partitions → store records → announce the group → commit offsets → end
 *     version 2   store records and commit offsets → end, which gives the next identity
 *
 * In version 1 the announcement must be acknowledged before the first record is sent: the end of the last transaction is
 * acknowledged before its markers are written, and a record that comes earlier would be committed with that transaction.
 */
import { LogError } from "../../errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { INVALID_PRODUCER_EPOCH, NONE, PRODUCER_FENCED, reactionTo, TRANSACTIONAL_ID_AUTHORIZATION_FAILED } from "../client/error-codes.ts";
import { refusedError } from "../client/rights.ts";
import type {
  Destination,
  GroupMember,
  OffsetToCommit,
  PartitionCode,
  ProducerIdentity,
  TransactionIdentity,
  TransactionVersion,
} from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { RefusedByBroker, sendBlocks } from "./send-blocks.ts";
import type { PartitionBlocks, StoredPartition } from "./send-blocks.ts";

export interface TransactionalProducerOptions {
  readonly cluster: Cluster;
  readonly transactionalId: string;
  /** The coordinator aborts an older transaction; no step is tried longer. */
  readonly msMax: number;
  /** Names the sockets. */
  readonly lane: number;
}

export interface TransactionContent {
  readonly partitions: readonly PartitionBlocks[];
  readonly offsets: readonly OffsetToCommit[];
  readonly member: GroupMember;
}

/** Whether the end was sent and its answer lost, or nothing of it can have been committed. */
export class EndUnknownError extends Error {}

/** For messages. */
interface TransactionStep {
  readonly what: string;
  readonly needs: string;
}

const GROUP = "group";
const TRANSACTION = "transaction";

export class TransactionalProducer {
  readonly #cluster: Cluster;
  readonly #transactionalId: string;
  readonly #msMax: number;
  readonly #lane: number;
  readonly #version: TransactionVersion;
  #identity: ProducerIdentity = { producerId: -1n, producerEpoch: -1 };
  /** Of the transaction in hand; the coordinator's clock starts later. */
  #beganAt = -Infinity;
  /** Version 1: a request of this epoch may still be on its way. */
  #straying = false;

  constructor({ cluster, transactionalId, msMax, lane }: TransactionalProducerOptions) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#msMax = msMax;
    this.#lane = lane;
    this.#version = cluster.transactionVersion;
  }

  get identity(): ProducerIdentity {
    return this.#identity;
  }

  /** Fences older producers of the id and ends what they left open. Throws `LOG_UNAVAILABLE`. */
  async initialize(): Promise<void> {
    const code = await this.#initialize(undefined);
    if (code !== NONE)
      throw refusedError({
        code,
        what: `the transactional id ${this.#transactionalId}`,
        needs: this.#rightToTransact,
        principal: this.#cluster.principal,
      });
  }

  /**
   * All or nothing; the records' places come back, and true when sequences begin at 0 again. Throws `RefusedByBroker` or
   * `LOG_UNAVAILABLE` when nothing is committed, and `EndUnknownError`.
   */
  async commit(content: TransactionContent): Promise<{ readonly stored: readonly StoredPartition[]; readonly newEpoch: boolean }> {
    if (this.#straying)
      throw new LogError("LOG_UNAVAILABLE", "A request of the last transaction may still arrive, and no new epoch was given.");
    this.#beganAt = this.#cluster.surroundings.now();
    if (this.#version === 1 && content.partitions.length > 0) await this.#announce(content.partitions);
    // Both are awaited whatever happens to one: a record that is still on its way must not come after an abort.
    const [stored, offsets] = await Promise.allSettled([this.#store(content.partitions), this.#commitOffsets(content)]);
    if (stored.status === "rejected") throw stored.reason;
    if (offsets.status === "rejected") throw offsets.reason;
    const newEpoch = await this.#end();
    return { stored: stored.value, newEpoch: (await this.#leaveBehind()) || newEpoch };
  }

  /** Ends a transaction that was refused, if that is possible at once; else the next `initialize` of the id does it. */
  async abort(): Promise<void> {
    try {
      const to = await this.#coordinator();
      await this.#cluster.wire.endTransaction(to, this.#transaction, this.#version, false);
    } catch {
      // The coordinator will do it when the transaction is too old.
    }
  }

  /**
   * After a refusal by epoch: was it a newer producer of the id, or the coordinator, because the transaction was too old? In
   * version 1 the coordinator does not tell, and asking it aborts what the newer producer has open: there our own clock decides.
   */
  async isFenced(): Promise<boolean> {
    if (this.#version === 1) return this.#cluster.surroundings.now() - this.#beganAt <= this.#msMax;
    try {
      return (await this.#initialize(this.#identity)) !== NONE;
    } catch {
      return true;
    }
  }

  get #rightToTransact(): string {
    return `Write and Describe on the transactional id ${this.#transactionalId}`;
  }

  get #transaction(): TransactionIdentity {
    return { ...this.#identity, transactionalId: this.#transactionalId };
  }

  async #initialize(present: ProducerIdentity | undefined): Promise<number> {
    const { code } = await this.#ask(`for the transactional id ${this.#transactionalId}`, async () => {
      const to = await this.#coordinator();
      const request = { transactionalId: this.#transactionalId, timeoutMs: this.#msMax, present };
      const { errorCode, producerId, producerEpoch } = await this.#cluster.wire.initProducer(to, request);
      if (errorCode === NONE) this.#identity = { producerId, producerEpoch };
      return errorCode;
    });
    // Whatever is still on its way is of an older epoch.
    if (code === NONE) this.#straying = false;
    return code;
  }

  /**
   * A request whose answer was lost, and which was sent again, may arrive in the next transaction: it would bring old offsets into it.
   * In version 1 only another epoch keeps it out. True when there is one.
   */
  async #leaveBehind(): Promise<boolean> {
    if (!this.#straying) return false;
    try {
      await this.#initialize(this.#identity);
    } catch {
      // What was committed is committed; the next commit is refused.
    }
    return !this.#straying;
  }

  async #announce(partitions: readonly PartitionBlocks[]): Promise<void> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))].join(", ");
    await this.#require({ what: "to begin a transaction", needs: `Write on the topics ${topics}` }, async () => {
      const answers = await this.#cluster.wire.addPartitions(await this.#coordinator(), this.#transaction, partitions);
      return worstOf(answers);
    });
  }

  async #store(partitions: readonly PartitionBlocks[]): Promise<readonly StoredPartition[]> {
    if (partitions.length === 0) return [];
    const options = {
      transactionalId: this.#transactionalId,
      version: this.#version,
      purpose: `produce/${this.#lane}`,
      msMax: this.#msMax,
    };
    return sendBlocks(this.#cluster, partitions, options);
  }

  async #commitOffsets({ offsets, member }: TransactionContent): Promise<void> {
    if (offsets.length === 0) return;
    const { wire } = this.#cluster;
    if (this.#version === 1)
      await this.#require({ what: "to take offsets into a transaction", needs: `Read on the group ${member.group}` }, async () => {
        const { errorCode } = await wire.addOffsets(await this.#coordinator(), this.#transaction, member.group);
        return errorCode;
      });
    const topics = [...new Set(offsets.map(({ topic }) => topic))].join(", ");
    await this.#require(
      { what: `to commit offsets of ${member.group}`, needs: `Read on the group ${member.group} and on the topics ${topics}` },
      async () => {
        const found = await this.#cluster.coordinator("group", member.group, `${GROUP}/${this.#lane}`, this.#msMax);
        const to = { ...found, answerMsMax: this.#msMax };
        const request = { transaction: this.#transaction, version: this.#version, member, offsets };
        return worstOf(await wire.commitOffsets(to, request));
      },
      () => this.#cluster.forgetCoordinator("group", member.group),
    );
  }

  /** True when the epoch is a new one. */
  async #end(): Promise<boolean> {
    let sent = false;
    let next: ProducerIdentity | undefined;
    try {
      await this.#require({ what: "to end a transaction", needs: this.#rightToTransact }, async () => {
        const to = await this.#coordinator();
        try {
          const answer = await this.#cluster.wire.endTransaction(to, this.#transaction, this.#version, true);
          next = answer.next;
          return answer.errorCode;
        } catch (error) {
          sent = !(error instanceof WireError && error.failure === "unreachable");
          throw sent ? new EndUnknownError("the answer to the end of the transaction is lost", { cause: error }) : error;
        }
      });
    } catch (error) {
      // Refusals are answers: nothing was committed. Anything else may have been.
      if (error instanceof LogError) throw new EndUnknownError(error.message, { cause: error });
      throw error;
    }
    if (next === undefined) return false;
    this.#identity = next;
    return true;
  }

  async #coordinator(): Promise<Destination> {
    const to = await this.#cluster.coordinator("transaction", this.#transactionalId, `${TRANSACTION}/${this.#lane}`, this.#msMax);
    return { ...to, answerMsMax: this.#msMax };
  }

  async #require(step: TransactionStep, attempt: () => Promise<number>, forget?: () => void): Promise<void> {
    const { code } = await this.#ask(step.what, attempt, forget);
    if (reactionTo(code) === "none") return;
    const needs = code === TRANSACTIONAL_ID_AUTHORIZATION_FAILED ? this.#rightToTransact : step.needs;
    throw new RefusedByBroker(code, step.what, { needs });
  }

  #ask(what: string, attempt: () => Promise<number>, forget?: () => void): Promise<{ readonly code: number }> {
    const refresh = async (): Promise<void> => {
      if (forget === undefined) this.#cluster.forgetCoordinator("transaction", this.#transactionalId);
      else forget();
    };
    const answer = async (): Promise<{ readonly code: number; readonly value: undefined }> => {
      try {
        return { code: await attempt(), value: undefined };
      } catch (error) {
        if (this.#version === 1 && error instanceof WireError && error.failure === "no-answer") this.#straying = true;
        throw error;
      }
    };
    return this.#cluster.ask(what, answer, { msMax: this.#msMax, refresh });
  }
}

/** A newer producer of the id has come, or the coordinator has given the transaction up. */
export function isEpochRefused(code: number): boolean {
  return code === INVALID_PRODUCER_EPOCH || code === PRODUCER_FENCED;
}

/** A final refusal weighs more than one that will pass. */
function worstOf(answers: readonly PartitionCode[]): number {
  let worst = NONE;
  for (const { errorCode } of answers) {
    const reaction = reactionTo(errorCode);
    if (reaction === "none") continue;
    if (worst === NONE || (reaction !== "retry" && reaction !== "refresh")) worst = errorCode;
  }
  return worst;
}
