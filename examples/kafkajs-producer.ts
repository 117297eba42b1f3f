/**
 * Upstream, as a service of others writes it: KafkaJS, Avro in Confluent's wire format, ids of a schema registry. Customers order,
 * and for each a driver comes on duty near by and tells where she is.
 *
 *     KAFKA_BROKERS=localhost:9092 SCHEMA_REGISTRY_URL=http://localhost:8081 npx node examples/kafkajs-producer.ts --orders 3
 *
 * The application must have registered its schemas (`slackline run --register-schemas`, once). A line for each record that is taken.
 */
import { parseArgs } from "node:util";
import confluent from "@kafkajs/confluent-schema-registry";
import { Kafka, logLevel } from "kafkajs";

const { values: flags } = parseArgs({ options: { orders: { type: "string", default: "3" } } });
const { KAFKA_BROKERS = "localhost:9092", SCHEMA_REGISTRY_URL = "http://localhost:8081" } = process.env;

const kafka = new Kafka({ clientId: "shop", brokers: KAFKA_BROKERS.split(","), logLevel: logLevel.ERROR });
const registry = new confluent.SchemaRegistry({ host: SCHEMA_REGISTRY_URL });
// Its partitioner is that of Kafka's own clients: all records of a driver, or of an order, keep their order.
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });

/** Topics with several kinds of events have a union of records: the kind is named, as JSON of Avro does. */
async function say(topic: string, key: string, event: object): Promise<void> {
  const id = await registry.getLatestSchemaId(`${topic}-value`);
  const value = await registry.encode(id, event);
  const [stored] = await producer.send({ topic, acks: -1, messages: [{ key, value, timestamp: String(Date.now()) }] });
  process.stdout.write(`${topic} ${stored?.partition}@${stored?.baseOffset} ${key}\n`);
}

const run = Date.now().toString(36);
const shop = { latitude: 52.5219, longitude: 13.4132 };

/** `eventId` makes saying an event again harmless: a known one has no effect and is recorded as a duplicate. */
async function comeOnDuty(driverId: string): Promise<void> {
  const shift = { eventId: `${driverId}-shift`, driverId, occurredAt: Date.now(), position: shop, vehicle: "bicycle", tags: [] };
  await say("dispatch.driver-events.v1", driverId, { "dispatch.v1.ShiftStarted": { ...shift, capacity: 2, endsAt: null } });
}

/** Who is not heard of for half a minute counts as gone. */
async function tellPosition(driverId: string): Promise<void> {
  const here = { position: shop, accuracyMetres: 8, speed: 0, heading: 0 };
  await say("dispatch.driver-locations.v1", driverId, { eventId: `${driverId}-1`, driverId, ...here, recordedAt: Date.now() });
}

async function placeOrder(orderId: string): Promise<void> {
  const now = Date.now();
  const head = { eventId: `${orderId}-placed`, orderId, occurredAt: now, version: 1, restaurantId: "r-5" };
  const pickup = { latitude: shop.latitude + 0.002, longitude: shop.longitude };
  const dropOff = { latitude: shop.latitude + 0.01, longitude: shop.longitude + 0.01 };
  const price = { requirements: [], priceMinor: 2_350, currency: "EUR" };
  await say("dispatch.orders.v1", orderId, {
    "dispatch.v1.OrderPlaced": { ...head, pickup, dropOff, readyAt: now, notBefore: now, ...price },
  });
}

await producer.connect();
try {
  for (let number = 0; number < Number(flags.orders); number++) {
    await comeOnDuty(`driver-${run}-${number}`);
    await placeOrder(`order-${run}-${number}`);
    await tellPosition(`driver-${run}-${number}`);
  }
} finally {
  await producer.disconnect();
}
