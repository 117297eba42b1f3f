/** The people of a town: they hear what dispatch decides and do what they do, through a producer that says things twice or says nonsense. */
import type { Log, Producer } from "#log";
import { between, seededRandom } from "#log/kafka/simulated";
import { murmur2 } from "#streams";
import type { DispatchTopics } from "#topologies";
import { cityWorldId, createCityWorld, WorldClient } from "#world";
import type { Traffic, TrafficOptions } from "../application.ts";
import { hurriedWorld } from "./hurried-world.ts";
import { HASTE, type Town } from "./town.ts";

/** People hear and act in steps of so long. */
const STEP_MS = 100;
/** Of 1,000 records, at most. */
const TWICE = 0.02;
const POISON = 0.01;

export interface TownOptions extends TrafficOptions {
  readonly town: Town;
  readonly topics: DispatchTopics;
  readonly startsAt: number;
}

export async function townTraffic(log: Log, given: TownOptions): Promise<Traffic> {
  const { town, topics, startsAt } = given;
  let asksUntil = Infinity;
  let over = false;
  const client = await WorldClient.open({
    log: { ...only(log), producer: () => carelessProducer(log.producer(), given) },
    topics,
    partitionOf: (key, partitions) => (murmur2(key) & 0x7fff_ffff) % partitions,
    worldId: cityWorldId(town.city),
    create: () => {
      const world = createCityWorld({ config: town.city, origin: startsAt });
      return hurriedWorld({ world, origin: startsAt, haste: HASTE, asksUntil: () => asksUntil });
    },
  });
  let now = startsAt;
  let flushing = false;
  const flush = async (): Promise<void> => {
    flushing = true;
    try {
      await client.flush();
    } catch {
      // Brokers were away for too long: it is said again.
    }
    flushing = false;
  };
  return {
    step(at) {
      if (over) return Infinity;
      now = at;
      client.step(at);
      if (!flushing) void flush();
      return at + STEP_MS;
    },
    stopAsking: () => {
      asksUntil = now;
    },
    stop: () => {
      over = true;
    },
  };
}

function only(log: Log): Pick<Log, "reader" | "offsets" | "version" | "changed"> {
  return { reader: () => log.reader(), offsets: log.offsets, version: () => log.version(), changed: (since) => log.changed(since) };
}

/** Records that cannot be read come before those of the world now and then; some of the world's come twice, with the same event id. */
function carelessProducer(producer: Producer, { options: { seed, faults }, hits, topics }: TownOptions): Producer {
  const random = seededRandom(seed + 0x7015);
  let made = 0;
  return {
    append: (topic, partition, timestamp, key, value, headers) => {
      if (random() < POISON * faults.poison) {
        hits.fault("poison");
        const nonsense = random() < 0.3 ? null : Buffer.from(`poison ${made}`);
        producer.append(topic, partition, timestamp, Buffer.from(`nobody-${made++}`), nonsense);
      }
      // The proofs tell the effect of a shift's start and end by its time.
      if (topic !== topics.driverEvents.name && random() < 0.1 * faults["late-input"]) {
        hits.fault("late-input");
        timestamp += between(random, -20_000, 5_000);
      }
      producer.append(topic, partition, timestamp, key, value, headers);
      if (random() >= TWICE * faults["said-twice"]) return;
      hits.fault("said-twice");
      producer.append(topic, partition, timestamp, key, value, headers);
    },
    flush: () => producer.flush(),
    get bufferedBytes() {
      return producer.bufferedBytes;
    },
    close: () => producer.close(),
  };
}
