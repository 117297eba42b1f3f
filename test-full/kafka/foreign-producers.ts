/** Upstream as others write it: KafkaJS producers with transactions of their own, some of which they abort. */
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel, type Producer } from "kafkajs";
import { poisonValue, type Poison } from "./chain-topology.ts";

export interface ForeignLoadOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Committed ones, all together; a little more may come, and as many as it takes where it goes on until it is hurried. */
  readonly records: number;
  readonly producers: number;
  readonly keys: number;
  /** Spread over so long, unless hurried; 0 is as fast as it goes. */
  readonly seconds: number;
  /** From then on as fast as it goes; until then events keep coming at their pace, also when all are sent. */
  readonly isHurried?: () => boolean;
  /** At most; default 250. */
  readonly recordsATransaction?: number;
  /** Every so many transactions one is aborted; default 5. */
  readonly abortEvery?: number;
  /** Every so many records one is poison, of each kind in turn; default none. */
  readonly poisonEvery?: number;
  /** Default "poison" alone. */
  readonly poisons?: readonly Poison[];
  readonly onProgress?: (committed: number) => void;
}

export interface ForeignLoad {
  readonly committed: number;
  readonly aborted: number;
  /** Producers that had to be made anew: KafkaJS gives up when brokers die. */
  readonly renewed: number;
}

const RECORDS_A_TRANSACTION = 250;
/** Of a producer that is not hurried: so that something comes all the time. */
const TRANSACTIONS_A_SECOND = 2;
const HURRY_LOOK_MS = 50;

/** Each key is one producer's, so that its order is known. Resolves when all is sent. */
export async function foreignLoad(options: ForeignLoadOptions): Promise<ForeignLoad> {
  const share = Math.ceil(options.records / options.producers);
  const progress = new Map<number, number>();
  const loads = await Promise.all(
    Array.from({ length: options.producers }, (_, producer) =>
      oneProducer(options, producer, share, (committed) => {
        progress.set(producer, committed);
        options.onProgress?.([...progress.values()].reduce((sum, each) => sum + each, 0));
      }),
    ),
  );
  const sum = (of: (load: ForeignLoad) => number): number => loads.reduce((total, load) => total + of(load), 0);
  return { committed: sum((load) => load.committed), aborted: sum((load) => load.aborted), renewed: sum((load) => load.renewed) };
}

async function oneProducer(
  options: ForeignLoadOptions,
  index: number,
  records: number,
  onProgress: (committed: number) => void,
): Promise<ForeignLoad> {
  const { topic, seconds, abortEvery = 5, recordsATransaction = RECORDS_A_TRANSACTION } = options;
  let producer = await connected(options, index);
  let committed = 0;
  let aborted = 0;
  let renewed = 0;
  const begun = Date.now();
  // What breaks meanwhile breaks under load, also when all are sent.
  const over = (): boolean => committed >= records && (seconds === 0 || options.isHurried?.() !== false);
  const isHurried = (): boolean => options.isHurried?.() === true;
  const paced = Math.ceil(records / seconds / TRANSACTIONS_A_SECOND);
  for (let round = 0; !over(); round++) {
    const most = isHurried() ? recordsATransaction : Math.min(recordsATransaction, paced);
    const count = committed < records ? Math.min(most, records - committed) : most;
    const aborts = round % abortEvery === abortEvery - 1;
    const messages = Array.from({ length: count }, (_, each) => message(options, index, committed + each, aborts));
    try {
      const transaction = await producer.transaction();
      await transaction.send({ topic, acks: -1, messages });
      await (aborts ? transaction.abort() : transaction.commit());
      if (aborts) aborted += count;
      else committed += count;
    } catch {
      // Whether it was committed is not known, and need not be: what is committed is what the topic says.
      renewed++;
      committed += aborts ? 0 : count;
      await producer.disconnect().catch(() => {});
      producer = await connected(options, index);
    }
    onProgress(committed);
    const dueAt = begun + (committed / records) * seconds * 1_000;
    while (dueAt > Date.now() && !isHurried()) await sleep(Math.min(HURRY_LOOK_MS, dueAt - Date.now()));
  }
  await producer.disconnect();
  return { committed, aborted, renewed };
}

function message(
  { keys, producers, poisonEvery, poisons = ["poison"] }: ForeignLoadOptions,
  producer: number,
  number: number,
  aborts: boolean,
): { key: string; value: string } {
  const key = `${producer}-${number % Math.ceil(keys / producers)}`;
  const poison = poisons[Math.floor(number / (poisonEvery ?? 1)) % poisons.length];
  if (poisonEvery !== undefined && poison !== undefined && number % poisonEvery === poisonEvery - 1)
    return { key, value: poisonValue(poison, `${producer}-${number}`) };
  return { key, value: `${aborts ? "aborted" : "event"} ${producer}-${number}` };
}

async function connected({ brokers, topic }: ForeignLoadOptions, index: number): Promise<Producer> {
  for (let tries = 0; ; tries++) {
    const kafka = new Kafka({ brokers: [...brokers], clientId: "foreign", logLevel: logLevel.NOTHING, retry: { retries: 8 } });
    const producer = kafka.producer({ transactionalId: `foreign-${topic}-${index}`, maxInFlightRequests: 1, idempotent: true });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      if (tries >= 20) throw error;
      await sleep(500);
    }
  }
}
