/** An application with a store of each kind, whose outputs depend on all that was kept: whatever is lost or doubled shows. */
import { keyValueStore, numberSerde, priorityQueueStore, stringKey, stringSerde, timerStore, timestampedStore } from "#state";
import type { Topology } from "../../dsl/builder.ts";
import { StreamsBuilder } from "../../dsl/streams-builder.ts";
import { topic, type Topic } from "../../topic.ts";

export interface LedgerTopics {
  readonly entries: Topic<string, string>;
  readonly ledger: Topic<string, string>;
}

/** On a cluster that others use too, each under names of its own. */
export function ledgerTopics(name: string): LedgerTopics {
  const shape = { key: stringKey, value: stringSerde, partitions: 2 };
  return { entries: topic({ name: `${name}entries`, ...shape }), ledger: topic({ name: `${name}ledger`, ...shape }) };
}

export const { entries, ledger } = ledgerTopics("");

const totals = keyValueStore({ name: "totals", key: stringKey, value: numberSerde });
const latest = timestampedStore({ name: "latest", key: stringKey, value: stringSerde });
const urgent = priorityQueueStore({ name: "urgent", value: stringSerde });
const alarms = timerStore({ name: "alarms", clock: "stream" });
export const ledgerStores = [totals, latest, urgent, alarms] as const;

const QUEUE_MAX = 5;
const ALARM_AFTER_MS = 7;

/** Counts per key, keeps the last value, queues each value and lets the most urgent go, and rings some time later. */
export function ledgerTopology(topics: LedgerTopics = { entries, ledger }): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topics.entries)
    .process<string, string>({
      name: "ledger",
      stores: ledgerStores,
      processor: (context) => {
        const [total, last, queue, alarm] = [context.store(totals), context.store(latest), context.store(urgent), context.store(alarms)];
        const say = (key: string, value: string, timestamp: number): void => context.forward({ key, value, timestamp, headers: [] });
        context.onTimer(alarms, (key, at) => {
          say(key, `alarm ${total.get(key) ?? 0} ${last.get(key)?.value ?? ""}`, at);
          // Half of them are forgotten then: deletions are changes too.
          if (at % 2 === 0) last.delete(key);
        });
        return {
          process({ key, value, timestamp }) {
            const count = (total.get(key) ?? 0) + 1;
            const before = last.get(key);
            total.put(key, count);
            last.put(key, { value, timestamp });
            queue.put(`${key}-${count % 3}`, value.length + (count % 4), value);
            alarm.set(key, timestamp + ALARM_AFTER_MS);
            say(key, `${count} ${value} after ${before?.value ?? "nothing"} at ${before?.timestamp ?? -1}`, timestamp);
            if (queue.size <= QUEUE_MAX) return;
            const first = queue.peek();
            if (first === undefined) return;
            queue.delete(first.id);
            say(key, `let go ${first.id} ${first.priority} ${first.value}`, timestamp);
          },
        };
      },
    })
    .to(topics.ledger);
  return builder.build();
}
