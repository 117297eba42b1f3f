/** Bugs that clients of Kafka have had, or were close to having, planted between the adapter and its wire. */
import type { KafkaWire } from "#log/kafka/simulated";
import { changed } from "./planted.ts";
import type { PlantedBug } from "./planted.ts";
import { resequenced } from "./resequenced.ts";

type Aborted = Awaited<ReturnType<KafkaWire["fetch"]>>["partitions"][number]["aborted"];

const BATCH_LENGTH_AT = 8;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const PRODUCER_ID_AT = 43;
const SEQUENCE_AT = 53;
const COUNT_AT = 57;
const CONTROL = 0x20;
const UNSTABLE_OFFSET_COMMIT = 88;

export const wireBugs: readonly PlantedBug[] = [
  {
    name: "the abort filter knows one aborted transaction of a fetch",
    plant: () => ({ wrapWire: (wire) => withAborted(wire, (aborted) => aborted.slice(0, 1)) }),
  },
  {
    name: "the abort filter ignores an abort whose marker is beyond the fetch",
    plant: () => ({
      wrapWire: (wire) => withAborted(wire, (aborted, records) => aborted.filter(({ producerId }) => markersIn(records).has(producerId))),
    }),
  },
  {
    name: "offsets are fetched while a commit of the group is pending",
    plant: (cluster) => ({
      wrapWire: (wire) =>
        changed(wire, {
          offsets: async (to, group, partitions) => {
            const answer = await wire.offsets(to, group, partitions);
            return {
              ...answer,
              partitions: answer.partitions.map((each) =>
                each.errorCode === UNSTABLE_OFFSET_COMMIT
                  ? { ...each, errorCode: 0, offset: cluster.unstableOffset(group, each.topic, each.partition) }
                  : each,
              ),
            };
          },
        }),
    }),
  },
  {
    name: "a batch whose answer was lost is sent again under a new sequence",
    plant: () => ({ wrapWire: withNewSequences }),
  },
  {
    name: "a retry skips what was refused beside something that was stored",
    plant: () => ({
      wrapWire: (wire) =>
        changed(wire, {
          produce: async (to, request) => {
            const answers = await wire.produce(to, request);
            const stored = answers.some(({ errorCode }) => errorCode === 0);
            return stored ? answers.map((each) => ({ ...each, errorCode: 0 })) : answers;
          },
        }),
    }),
  },
  {
    name: "the end of a transaction is tried again after its producer was initialised anew",
    plant: () => ({ wrapWire: withStrayEnds }),
  },
  {
    name: "the next transaction is sent before the end of this one is acknowledged",
    plant: () => ({
      wrapWire: (wire) =>
        changed(wire, {
          endTransaction: (to, transaction, version, commit) => {
            wire.endTransaction(to, transaction, version, commit).catch(() => {});
            const { producerId, producerEpoch } = transaction;
            const next = version === 2 ? { producerId, producerEpoch: producerEpoch + 1 } : undefined;
            return Promise.resolve({ errorCode: 0, next });
          },
        }),
    }),
  },
  {
    name: "a restore goes to the last stable offset only",
    plant: () => ({
      wrapWire: (wire) =>
        changed(wire, {
          listOffset: (to, at, isolation, timestamp) => wire.listOffset(to, at, timestamp === -1 ? "committed" : isolation, timestamp),
        }),
    }),
  },
];

function withAborted(wire: KafkaWire, filter: (aborted: Aborted, records: Buffer) => Aborted): KafkaWire {
  return changed(wire, {
    fetch: async (to, request) => {
      const response = await wire.fetch(to, request);
      return { ...response, partitions: response.partitions.map((each) => ({ ...each, aborted: filter(each.aborted, each.records) })) };
    },
  });
}

function markersIn(records: Buffer): ReadonlySet<bigint> {
  const found = new Set<bigint>();
  for (let at = 0; at + COUNT_AT < records.length; at += records.readInt32BE(at + BATCH_LENGTH_AT) + 12)
    if ((records.readInt16BE(at + ATTRIBUTES_AT) & CONTROL) !== 0) found.add(records.readBigInt64BE(at + PRODUCER_ID_AT));
  return found;
}

function withNewSequences(wire: KafkaWire): KafkaWire {
  const lost = new Set<string>();
  const moved = new Map<string, number>();
  return changed(wire, {
    produce: async (to, request) => {
      const partitions = request.partitions.map((each) => {
        const key = `${each.topic}/${each.partition} ${each.batch.readBigInt64BE(PRODUCER_ID_AT)} ${each.batch.readInt16BE(51)}`;
        const again = lost.delete(`${key} ${each.batch.readInt32BE(SEQUENCE_AT)}`);
        if (again) moved.set(key, (moved.get(key) ?? 0) + each.batch.readInt32BE(LAST_DELTA_AT) + 1);
        const by = moved.get(key) ?? 0;
        return by === 0 ? each : { ...each, batch: resequenced(each.batch, by) };
      });
      try {
        return await wire.produce(to, { ...request, partitions });
      } catch (error) {
        for (const { topic, partition, batch } of request.partitions)
          lost.add(
            `${topic}/${partition} ${batch.readBigInt64BE(PRODUCER_ID_AT)} ${batch.readInt16BE(51)} ${batch.readInt32BE(SEQUENCE_AT)}`,
          );
        throw error;
      }
    },
  });
}

function withStrayEnds(wire: KafkaWire): KafkaWire {
  let lost = false;
  let again: (() => void) | undefined;
  return changed(wire, {
    endTransaction: async (to, transaction, version, commit) => {
      try {
        return await wire.endTransaction(to, transaction, version, commit);
      } catch (error) {
        lost = commit;
        throw error;
      }
    },
    initProducer: async (to, request) => {
      const answer = await wire.initProducer(to, request);
      const { transactionalId } = request;
      if (lost && answer.errorCode === 0 && transactionalId !== null) {
        lost = false;
        const { producerId, producerEpoch } = answer;
        again = () => void wire.endTransaction(to, { transactionalId, producerId, producerEpoch }, 1, true).catch(() => {});
      }
      return answer;
    },
    produce: async (to, request) => {
      const answers = await wire.produce(to, request);
      if (request.transactionalId !== null) {
        again?.();
        again = undefined;
      }
      return answers;
    },
  });
}
