/** Stores finished batches: one block of each partition at a time in each partition's order, all leaders side by side. */
import { RecordRefusedError } from "../../errors.ts";
import type { TopicPartition } from "../../log.ts";
import type { Cluster } from "../client/cluster.ts";
import { nameOfCode, NONE, reactionTo, TRANSACTIONAL_ID_AUTHORIZATION_FAILED } from "../client/error-codes.ts";
import type { TransactionVersion } from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { PRODUCE_BYTES_MAX } from "../defaults.ts";

export interface PartitionBlocks extends TopicPartition {
  readonly blocks: readonly { readonly bytes: Buffer; readonly recordCount: number }[];
}

export interface StoredPartition extends TopicPartition {
  /** −1 when the broker did not say it: an earlier try had stored the block. */
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
}

export interface SendOptions {
  readonly transactionalId: string | null;
  readonly version: TransactionVersion;
  /** Names the socket. */
  readonly purpose: string;
  readonly msMax: number;
}

/** Kafka has refused; nothing of the block was written. */
export class RefusedByBroker extends Error {
  readonly code: number;
  /** For messages: the right that it takes, `Write on the topic NAME`. */
  readonly needs: string;

  constructor(code: number, what: string, { needs, detail }: { readonly needs: string; readonly detail?: string | null }) {
    super(`Kafka refuses ${what}: ${nameOfCode(code)}${detail ? `, ${detail}` : ""}.`);
    this.name = "RefusedByBroker";
    this.code = code;
    this.needs = needs;
  }
}

/** What a lost answer counts as: the same block again is recognised by its sequence. */
const NETWORK_EXCEPTION = 13;
const MESSAGE_TOO_LARGE = 10;
const RECORD_LIST_TOO_LARGE = 18;
const INVALID_TIMESTAMP = 32;

interface Sending extends PartitionBlocks {
  next: number;
  baseOffset: number;
  lastOffset: number;
}

/** Throws `RefusedByBroker`, or `LOG_UNAVAILABLE` after the deadline: then it is not known what was written. */
export async function sendBlocks(
  cluster: Cluster,
  partitions: readonly PartitionBlocks[],
  options: SendOptions,
): Promise<readonly StoredPartition[]> {
  const all = partitions.map((each): Sending => ({ ...each, next: 0, baseOffset: -1, lastOffset: -1 }));
  for (let open = all; open.length > 0; open = all.filter(isOpen)) {
    const what = "to store records";
    const { code, value } = await cluster.ask(what, () => sendRound(cluster, all.filter(isOpen), options), { msMax: options.msMax });
    if (code !== NONE)
      throw new RefusedByBroker(code, `records of ${value?.at ?? "a partition"}`, {
        needs: rightToWrite(value?.topic ?? "that is written to", options.transactionalId, code),
        detail: value?.message ?? null,
      });
  }
  return all.map(({ topic, partition, baseOffset, lastOffset, blocks }) => ({
    topic,
    partition,
    baseOffset,
    lastOffset,
    count: blocks.reduce((sum, block) => sum + block.recordCount, 0),
  }));
}

/** The error of the port for records that Kafka will not take, however often they are sent. */
export function asRefusedRecord(error: RefusedByBroker): RecordRefusedError {
  const code = isTooLarge(error.code) ? "RECORD_TOO_LARGE" : error.code === INVALID_TIMESTAMP ? "TIMESTAMP_INVALID" : "KEY_REQUIRED";
  return new RecordRefusedError(code, `${error.message} Change the record, or the topic's limits.`, { cause: error });
}

export function isTooLarge(code: number): boolean {
  return code === MESSAGE_TOO_LARGE || code === RECORD_LIST_TOO_LARGE;
}

interface Refusal {
  readonly topic: string;
  readonly at: string;
  readonly message: string | null;
}

function rightToWrite(topic: string, transactionalId: string | null, code: number): string {
  return code === TRANSACTIONAL_ID_AUTHORIZATION_FAILED && transactionalId !== null
    ? `Write on the transactional id ${transactionalId}`
    : `Write on the topic ${topic}`;
}

function isOpen({ next, blocks }: Sending): boolean {
  return next < blocks.length;
}

/** The next block of every partition. A final refusal weighs more than a code that will pass. */
async function sendRound(
  cluster: Cluster,
  open: readonly Sending[],
  options: SendOptions,
): Promise<{ readonly code: number; readonly value: Refusal | undefined }> {
  let worst: { readonly code: number; readonly value: Refusal | undefined } = { code: NONE, value: undefined };
  const report = (code: number, value?: Refusal): void => {
    if (worst.code === NONE || isPassing(worst.code)) worst = { code, value };
  };
  await Promise.all(
    requestsOf(cluster, open).map(async ({ leader, sendings }) => {
      try {
        await sendOne(cluster, leader, sendings, options, report);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        if (error.failure === "refused") throw error;
        report(NETWORK_EXCEPTION);
      }
    }),
  );
  return worst;
}

async function sendOne(
  cluster: Cluster,
  leader: number,
  sendings: readonly Sending[],
  { transactionalId, version, purpose, msMax }: SendOptions,
  report: (code: number, value?: Refusal) => void,
): Promise<void> {
  const partitions = sendings.map(({ topic, partition, blocks, next }) => ({
    topic,
    partition,
    batch: blocks[next]?.bytes ?? Buffer.alloc(0),
  }));
  // A broker that is silent for longer is asked again elsewhere, or the commit is given up.
  const to = { ...cluster.broker(leader, purpose), answerMsMax: msMax };
  const answers = await cluster.wire.produce(to, { transactionalId, version, waitMsMax: msMax, partitions });
  for (const sending of sendings) {
    const answer = answers.find((each) => each.partition === sending.partition && each.topic === sending.topic);
    // An answer that leaves a partition out has not stored it.
    const code = answer?.errorCode ?? NETWORK_EXCEPTION;
    const reaction = reactionTo(code);
    if (reaction !== "none" && reaction !== "done")
      report(code, { topic: sending.topic, at: `${sending.topic}/${sending.partition}`, message: answer?.message ?? null });
    else stored(sending, reaction === "none" ? (answer?.baseOffset ?? -1) : -1);
  }
}

function stored(sending: Sending, baseOffset: number): void {
  const count = sending.blocks[sending.next]?.recordCount ?? 0;
  if (sending.next === 0) sending.baseOffset = baseOffset;
  if (baseOffset >= 0) sending.lastOffset = baseOffset + count - 1;
  sending.next += 1;
}

function isPassing(code: number): boolean {
  const reaction = reactionTo(code);
  return reaction === "retry" || reaction === "refresh";
}

/** One request for each leader, within the bound; what does not fit waits for the next round. */
function requestsOf(
  cluster: Cluster,
  open: readonly Sending[],
): readonly { readonly leader: number; readonly sendings: readonly Sending[] }[] {
  const byLeader = Map.groupBy(open, ({ topic, partition }) => cluster.topic(topic)?.leaders[partition] ?? -1);
  return [...byLeader].map(([leader, sendings]) => {
    let bytes = 0;
    const fitting = sendings.filter(({ blocks, next }) => (bytes += blocks[next]?.bytes.length ?? 0) <= PRODUCE_BYTES_MAX);
    return { leader, sendings: fitting.length > 0 ? fitting : sendings.slice(0, 1) };
  });
}
