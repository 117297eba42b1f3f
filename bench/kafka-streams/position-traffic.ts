/** Positions of drivers of whom a fifth is in another cell each time; the same for the same seed. */
import { cellOf, centreOf, FINE_RESOLUTION, ring } from "#geo";
import { murmur2 } from "#streams";
import type { Log, Producer } from "#log";
import { positionSerde, type DriverPosition } from "./position.ts";
import { PARTITIONS } from "./position-topologies.ts";
import { seededRandom } from "../seeded-random.ts";

const CHANGE_SHARE = 0.2;
/** Degrees around the centre of a cell that are surely inside it. */
const JITTER_DEGREES = 0.0006;
const FLUSH_BYTES = 1024 * 1024;
/** As Kafka's own clients make a hash positive. */
const POSITIVE_MASK = 0x7fff_ffff;
const VALUE_BYTES_MAX = 256;

interface Home {
  readonly id: Buffer;
  readonly name: string;
  readonly partition: number;
  cell: string;
}

export class PositionTraffic {
  readonly #homes: readonly Home[];
  readonly #random: () => number;
  readonly #value = Buffer.alloc(VALUE_BYTES_MAX);
  readonly #neighbours = new Map<string, readonly string[]>();
  readonly #centres = new Map<string, { readonly latitude: number; readonly longitude: number }>();
  #next = 0;

  constructor({ seed, drivers }: { readonly seed: number; readonly drivers: number }) {
    this.#random = seededRandom(seed);
    this.#homes = Array.from({ length: drivers }, (_, index) => {
      const name = `driver-${String(index * 7919).padStart(12, "0")}`;
      const id = Buffer.from(name);
      const point = { latitude: 52.37 + (this.#random() - 0.5) * 0.3, longitude: 4.9 + (this.#random() - 0.5) * 0.5 };
      return { id, name, partition: (murmur2(id) & POSITIVE_MASK) % PARTITIONS, cell: cellOf(point, FINE_RESOLUTION) };
    });
  }

  /** Appends the next driver's position. */
  append(producer: Producer, topic: string, atMicros: number): void {
    const home = this.#homes[this.#next++ % this.#homes.length];
    if (home === undefined) throw new RangeError("there are no drivers");
    if (this.#random() < CHANGE_SHARE) home.cell = this.#neighbour(home.cell);
    const { latitude, longitude } = this.#centre(home.cell);
    const value: DriverPosition = {
      driverId: home.name,
      latitude: latitude + (this.#random() - 0.5) * JITTER_DEGREES,
      longitude: longitude + (this.#random() - 0.5) * JITTER_DEGREES,
      recordedAtMicros: atMicros,
      accuracyMetres: 8,
      speed: this.#random() * 30,
      heading: this.#random() * 360,
    };
    const end = positionSerde.encode(value, this.#value, 0);
    producer.append(topic, home.partition, Math.floor(atMicros / 1_000), home.id, this.#value.subarray(0, end));
  }

  /** So many positions, half a millisecond apart. */
  async load(log: Log, topic: string, { count, startMicros }: { readonly count: number; readonly startMicros: number }): Promise<void> {
    const producer = log.producer();
    for (let index = 0; index < count; index++) {
      this.append(producer, topic, startMicros + index * 500);
      if (producer.bufferedBytes > FLUSH_BYTES) await producer.flush();
    }
    await producer.flush();
    await producer.close();
  }

  #neighbour(cell: string): string {
    let all = this.#neighbours.get(cell);
    if (all === undefined) this.#neighbours.set(cell, (all = ring(cell, 1)));
    return all[Math.floor(this.#random() * all.length)] ?? cell;
  }

  #centre(cell: string): { readonly latitude: number; readonly longitude: number } {
    let centre = this.#centres.get(cell);
    if (centre === undefined) this.#centres.set(cell, (centre = centreOf(cell)));
    return centre;
  }
}
