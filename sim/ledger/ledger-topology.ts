/**
 * A small application that has everything that can go wrong with state: accounts, timers in stream time, a second subtopology behind a
 * topic between the two, dead letters.
 *
 *     moves ──▶ accounts ──▶ receipts, statements (timers in stream time), audits (timers by the wall clock), transfers ──▶ buckets ──▶ totals
 */
import { jsonSerde, keyValueStore, stringKey, timerStore } from "#state";
import { StreamsBuilder, topic } from "#streams";
import type { Topology } from "#streams";

export interface Move {
  readonly id: number;
  readonly amount: number;
}

export interface Balance {
  readonly count: number;
  readonly sum: number;
}

export interface Receipt extends Balance {
  readonly id: number;
}

export interface Statement extends Balance {
  readonly at: number;
}

/** One for each move, when the wall clock has passed it. */
export interface Audit {
  readonly id: string;
  readonly at: number;
}

export interface Transfer {
  readonly id: number;
  readonly amount: number;
  /** Partition of the move. */
  readonly from: number;
}

export const PARTITIONS = 3;
export const STATEMENT_MS = 5_000;
export const AUDIT_MS = 3_000;
const BUCKETS = 5;
const names = { partitions: PARTITIONS, key: stringKey };

export const moves = topic<string, Move>({ name: "moves", value: jsonSerde(), ...names });
export const receipts = topic<string, Receipt>({ name: "receipts", value: jsonSerde(), ...names });
export const statements = topic<string, Statement>({ name: "statements", value: jsonSerde(), ...names });
const audits = topic<string, Audit>({ name: "audits", value: jsonSerde(), ...names });
export const transfers = topic<string, Transfer>({ name: "transfers", value: jsonSerde(), onFailure: "stop", ...names });
export const totals = topic<string, Receipt>({ name: "totals", value: jsonSerde(), ...names });

export const accounts = keyValueStore<string, Balance>({ name: "accounts", key: stringKey, value: jsonSerde() });
export const statementTimers = timerStore({ name: "statement-timers", clock: "stream" });
export const auditTimers = timerStore({ name: "audit-timers", clock: "wall" });
export const buckets = keyValueStore<string, Balance>({ name: "buckets", key: stringKey, value: jsonSerde() });

export const EMPTY: Balance = { count: 0, sum: 0 };

export function added({ count, sum }: Balance, amount: number): Balance {
  return { count: count + 1, sum: sum + amount };
}

export function bucketOf(id: number): string {
  return `bucket-${id % BUCKETS}`;
}

export function ledgerTopology(): Topology {
  const builder = new StreamsBuilder();
  builder.stream(moves).process({
    name: "ledger",
    stores: [accounts, statementTimers, auditTimers],
    sinks: [receipts, statements, audits, transfers],
    processor: (context) => {
      const store = context.store(accounts);
      const timers = context.store(statementTimers);
      const [toReceipts, toStatements, toTransfers] = [context.sink(receipts), context.sink(statements), context.sink(transfers)];
      const [toAudits, pendingAudits] = [context.sink(audits), context.store(auditTimers)];
      context.onTimer(auditTimers, (key, at) => {
        const [account = "", id = ""] = key.split(" ");
        toAudits.send(account, { id, at });
      });
      context.onTimer(statementTimers, (account, at) => toStatements.send(account, { at, ...(store.get(account) ?? EMPTY) }));
      return {
        process({ key, value: { id, amount }, timestamp }) {
          const balance = added(store.get(key) ?? EMPTY, amount);
          store.put(key, balance);
          if (timers.at(key) === undefined) timers.set(key, timestamp + STATEMENT_MS);
          pendingAudits.set(`${key} ${id}`, timestamp + AUDIT_MS);
          toReceipts.send(key, { id, ...balance });
          toTransfers.send(bucketOf(id), { id, amount, from: context.partition });
        },
      };
    },
  });
  builder.stream(transfers).process({
    name: "bucket",
    stores: [buckets],
    sinks: [totals],
    processor: (context) => {
      const store = context.store(buckets);
      const sink = context.sink(totals);
      return {
        process({ key, value: { id, amount } }) {
          const balance = added(store.get(key) ?? EMPTY, amount);
          store.put(key, balance);
          sink.send(key, { id, ...balance });
        },
      };
    },
  });
  return builder.build();
}
