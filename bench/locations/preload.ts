/** Writes the traffic into the log, a bounded piece at a time. */
import type { Log } from "#log";
import { topicSchemas, type Serdes } from "#schemas";
import { murmur2 } from "#streams";
import type { DriverTraffic } from "./driver-traffic.ts";

const FLUSH_BYTES = 4 * 1024 * 1024;
/** As Kafka's own clients make a hash positive. */
const POSITIVE_MASK = 0x7fff_ffff;

export interface PreloadOptions {
  readonly log: Log;
  readonly serdes: Serdes;
  readonly partitions: number;
  readonly traffic: DriverTraffic;
  readonly progress?: (records: number) => void;
}

export async function preloadShifts({ log, serdes, partitions, traffic }: PreloadOptions): Promise<void> {
  const upload = new Upload(log, serdes, partitions);
  for (const driver of traffic.turns) {
    const shift = traffic.shift(driver);
    const end = serdes.driverEvents.encode(shift, upload.value, 0);
    if (upload.append(topicSchemas.driverEvents.topic, shift.driverId, traffic.timeOf(driver, 0), end)) await upload.flush();
  }
  await upload.close();
}

/** As many steps of all drivers as make at least so many records. Answers how many bytes of values there are. */
export async function preloadLocations({ log, serdes, partitions, traffic, progress }: PreloadOptions, records: number): Promise<number> {
  const upload = new Upload(log, serdes, partitions);
  const steps = Math.ceil(records / traffic.drivers);
  for (let step = 1; step <= steps; step++) {
    for (const driver of traffic.turns) {
      const location = traffic.location(driver, step);
      const end = serdes.driverLocations.encode(location, upload.value, 0);
      if (!upload.append(topicSchemas.driverLocations.topic, location.driverId, traffic.timeOf(driver, step), end)) continue;
      progress?.((step - 1) * traffic.drivers);
      await upload.flush();
    }
  }
  traffic.steps = steps;
  await upload.close();
  return upload.bytes;
}

class Upload {
  readonly value = Buffer.alloc(4_096);
  bytes = 0;
  readonly #producer: ReturnType<Log["producer"]>;
  readonly #serdes: Serdes;
  readonly #partitions: number;
  readonly #key = Buffer.alloc(256);

  constructor(log: Log, serdes: Serdes, partitions: number) {
    this.#producer = log.producer();
    this.#serdes = serdes;
    this.#partitions = partitions;
  }

  /** True: flush. */
  append(topic: string, id: string, timestamp: number, valueEnd: number): boolean {
    const key = this.#key.subarray(0, this.#serdes.key.encode(id, this.#key, 0));
    const partition = (murmur2(key) & POSITIVE_MASK) % this.#partitions;
    this.#producer.append(topic, partition, timestamp, key, this.value.subarray(0, valueEnd));
    this.bytes += valueEnd;
    return this.#producer.bufferedBytes > FLUSH_BYTES;
  }

  async flush(): Promise<void> {
    await this.#producer.flush();
  }

  async close(): Promise<void> {
    await this.#producer.flush();
    await this.#producer.close();
  }
}
