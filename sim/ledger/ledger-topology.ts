/**
 * A small application that has everything that can go wrong with state: accounts, timers in stream time, a second subtopology behind a
 * topic between the two, dead letters.
 *
 *     moves ──▶ accounts ──▶ receipts, statements (by timer), transfers ──▶ buckets ──▶ totals
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

export interface Transfer {
  readonly id: number;
  readonly amount: number;
  /** Partition of the move. */
  readonly from: number;
}

export const PARTITIONS = 3;
export const STATEMENT_MS = 5_000;
const BUCKETS = 5;
const names = { partitions: PARTITIONS, key: stringKey };

export const moves = topic<string, Move>({ name: "moves", value: jsonSerde(), ...names });
export const receipts = topic<string, Receipt>({ name: "receipts", value: jsonSerde(), ...names });
export const statements = topic<string, Statement>({ name: "statements", value: jsonSerde(), ...names });
export const transfers = topic<string, Transfer>({ name: "transfers", value: jsonSerde(), onFailure: "stop", ...names });
export const totals = topic<string, Receipt>({ name: "totals", value: jsonSerde(), ...names });

export const accounts = keyValueStore<string, Balance>({ name: "accounts", key: stringKey, value: jsonSerde() });
export const statementTimers = timerStore({ name: "statement-timers", clock: "stream" });
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
    stores: [accounts, statementTimers],
    sinks: [receipts, statements, transfers],
    processor: (context) => {
      const store = context.store(accounts);
      const timers = context.store(statementTimers);
      const [toReceipts, toStatements, toTransfers] = [context.sink(receipts), context.sink(statements), context.sink(transfers)];
      context.onTimer(statementTimers, (account, at) => toStatements.send(account, { at, ...(store.get(account) ?? EMPTY) }));
      return {
        process({ key, value: { id, amount }, timestamp }) {
          const balance = added(store.get(key) ?? EMPTY, amount);
          store.put(key, balance);
          if (timers.at(key) === undefined) timers.set(key, timestamp + STATEMENT_MS);
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
