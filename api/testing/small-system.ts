/** A small real system to be looked at: the dispatch topology in virtual time over a log in memory, after one order was assigned. */
import type { Inspector } from "../inspector.ts";
import { createSerdes, memoryRegistry } from "#schemas";
import { encodeKey, murmur2, openCommittedView, type Topic } from "#streams";
import { openApplication } from "#streams/testing";
import { buildDispatch, dispatchTopics } from "#topologies";
import { localInspector } from "../local-inspector.ts";

const APPLICATION = "small";
const START = 1_700_000_000_000;
const PARTITIONS = 2;
const kitchen = { latitude: 47.37, longitude: 8.54 };
const home = { latitude: 47.38, longitude: 8.55 };

export interface SmallSystem extends AsyncDisposable {
  readonly inspector: Inspector;
  /** Writes bytes that are no Avro into the topic of orders, where nobody reads them any more. */
  spoil(): Promise<void>;
}

export async function smallSystem(): Promise<SmallSystem> {
  const registry = memoryRegistry();
  const topology = buildDispatch({ registry, partitions: PARTITIONS });
  const topics = dispatchTopics(createSerdes(registry), { partitions: PARTITIONS });
  const app = await openApplication({ topology, applicationId: APPLICATION, startAt: START });
  const { log, disk } = app;
  const send = async <V>(topic: Topic<string, V>, key: string, value: NoInfer<V>): Promise<void> => {
    const producer = log.producer();
    const keyBytes = encodeKey(topic.key, key);
    const body = Buffer.alloc(4_096);
    const end = topic.value.encode(value, body, 0);
    producer.append(topic.name, (murmur2(keyBytes) & 0x7fff_ffff) % PARTITIONS, START, keyBytes, body.subarray(0, end));
    await producer.flush();
    await producer.close();
  };
  await send(topics.driverEvents, "d1", {
    type: "ShiftStarted",
    eventId: "e1",
    driverId: "d1",
    occurredAt: START,
    position: kitchen,
    vehicle: "bicycle",
    tags: [],
    capacity: 2,
    endsAt: null,
  });
  const order = { type: "OrderPlaced", occurredAt: START, restaurantId: "r1", pickup: kitchen, dropOff: home } as const;
  const terms = { version: 1, readyAt: START, notBefore: START, requirements: [], priceMinor: 2_000, currency: "EUR" } as const;
  for (const orderId of ["o1", "o2", "o3"]) await send(topics.orders, orderId, { ...order, ...terms, eventId: `e-${orderId}`, orderId });
  await app.run(START + 5_000);
  await app.stop();
  const view = openCommittedView({ topology, disk, log, group: APPLICATION });
  return {
    inspector: localInspector({ log, topology, view, group: APPLICATION }),
    async spoil() {
      const producer = log.producer();
      producer.append(topics.orders.name, 0, START, Buffer.from("o9"), Buffer.from([1, 2, 3]));
      await producer.flush();
      await producer.close();
    },
    async [Symbol.asyncDispose]() {
      await log.close();
    },
  };
}
