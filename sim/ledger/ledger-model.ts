/** What the ledger has to say, by a plain sequential program over its committed input: nothing of the engine is in it. */
import type { CommittedRecord } from "#proof";
import { AUDIT_MS, bucketOf, EMPTY, STATEMENT_MS } from "./ledger-topology.ts";
import type { Balance, Move, Transfer } from "./ledger-topology.ts";

/** Receipts and transfers are as many; a timer that a move made due may be committed with it or later. */
interface Mark {
  readonly next: number;
  readonly receipts: number;
  readonly statementsMin: number;
  readonly statementsMax: number;
}

/** One partition of the moves. Outputs as text, in the order in which they have to be there. */
export class AccountsModel {
  readonly receipts: string[] = [];
  readonly statements: string[] = [];
  readonly deadLetters: string[] = [];
  /** In no order: the wall clock decides. */
  readonly audits = new Set<string>();
  readonly accounts = new Map<string, Balance>();
  readonly timers = new Map<string, number>();
  /** Transfers by their bucket, each in its order. */
  readonly #transfers = new Map<string, string[]>();
  /** After each move, in offset order. */
  readonly #marks: Mark[] = [];
  readonly #partition: number;
  #streamTime = -1;

  constructor(partition: number) {
    this.#partition = partition;
  }

  take({ offset, timestamp, key, value }: CommittedRecord): void {
    const account = key?.toString() ?? "";
    const move = parse(value);
    if (move === undefined) this.deadLetters.push(`${account} ${String(value)}`);
    else {
      this.#streamTime = Math.max(this.#streamTime, timestamp);
      const before = this.accounts.get(account) ?? EMPTY;
      const balance = { count: before.count + 1, sum: before.sum + move.amount };
      this.accounts.set(account, balance);
      if (!this.timers.has(account)) this.timers.set(account, timestamp + STATEMENT_MS);
      this.audits.add(`${account} ${JSON.stringify({ id: String(move.id), at: timestamp + AUDIT_MS })}`);
      this.receipts.push(`${account} ${JSON.stringify({ id: move.id, ...balance })}`);
      this.#transfer(`${bucketOf(move.id)} ${JSON.stringify({ id: move.id, amount: move.amount, from: this.#partition })}`);
    }
    const statementsMin = this.statements.length;
    this.#fire();
    const { receipts, statements } = this;
    this.#marks.push({ next: offset + 1, receipts: receipts.length, statementsMin, statementsMax: statements.length });
  }

  /** What has to be committed with this offset of the moves. */
  at(committed: number): Mark {
    return latest(this.#marks, committed) ?? { next: 0, receipts: 0, statementsMin: 0, statementsMax: 0 };
  }

  transfersTo(bucket: string): readonly string[] {
    return this.#transfers.get(bucket) ?? [];
  }

  #transfer(transfer: string): void {
    const bucket = bucketIn(transfer);
    const known = this.#transfers.get(bucket);
    if (known === undefined) this.#transfers.set(bucket, [transfer]);
    else known.push(transfer);
  }

  #fire(): void {
    const due = [...this.timers].filter(([, at]) => at <= this.#streamTime);
    due.sort(([one, oneAt], [other, otherAt]) => oneAt - otherAt || (one < other ? -1 : 1));
    for (const [account, at] of due) {
      this.timers.delete(account);
      this.statements.push(`${account} ${JSON.stringify({ at, ...this.accounts.get(account) })}`);
    }
  }
}

/** One partition of the transfers. */
export class BucketsModel {
  readonly totals: string[] = [];
  readonly buckets = new Map<string, Balance>();
  readonly #marks: { readonly next: number; readonly totals: number }[] = [];

  /** How many totals have to be committed with this offset of the transfers. */
  at(committed: number): number {
    return latest(this.#marks, committed)?.totals ?? 0;
  }

  take({ offset, key, value }: CommittedRecord): void {
    const bucket = key?.toString() ?? "";
    const { id, amount } = JSON.parse(String(value)) as Transfer;
    const before = this.buckets.get(bucket) ?? EMPTY;
    const balance = { count: before.count + 1, sum: before.sum + amount };
    this.buckets.set(bucket, balance);
    this.totals.push(`${bucket} ${JSON.stringify({ id, ...balance })}`);
    this.#marks.push({ next: offset + 1, totals: this.totals.length });
  }
}

/** Of a transfer as text. */
export function bucketIn(transfer: string): string {
  return transfer.slice(0, transfer.indexOf(" "));
}

/** The last mark at or below the offset. */
function latest<M extends { readonly next: number }>(marks: readonly M[], committed: number): M | undefined {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.next ?? Infinity) <= committed) low = middle + 1;
    else high = middle;
  }
  return marks[low - 1];
}

function parse(value: Buffer | null): Move | undefined {
  try {
    return value === null ? undefined : (JSON.parse(value.toString()) as Move);
  } catch {
    return undefined;
  }
}
