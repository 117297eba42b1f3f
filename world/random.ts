/**
 * The world's only randomness: xoshiro128**, seeded anew for each (seed, entity, step). Who draws what never depends on who
 * drew before, so a world that starts again in the middle of a day goes on as if it had never stopped.
 */

/** Draws of one step of one entity. Cheap to make; not kept between steps. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `step` may be any whole number, also a time in milliseconds. */
  constructor(seed: number, entity: string, step: number) {
    const low = step >>> 0;
    const high = Math.floor(step / 0x1_0000_0000) >>> 0;
    this.#a = mix(hash(entity, 0x811c9dc5) ^ seed);
    this.#b = mix(hash(entity, 0x9e3779b9) + low);
    this.#c = mix(this.#a ^ Math.imul(low, 0x85ebca6b) ^ high);
    // Never all zero: the generator would stay there.
    this.#d = mix(this.#b + Math.floor(seed / 0x1_0000_0000) + 0x6d2b79f5) | 1;
    for (let i = 0; i < 4; i++) this.#next();
  }

  /** In [0, 1), with 32 bits. */
  float(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + this.float() * (high - low);
  }

  /** Whole, from 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** True with this probability; 0 never, 1 always. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** Mean 0, standard deviation 1 (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
  }

  /** How many events of a Poisson process with this mean; exact below 500, a rounded normal above. */
  poisson(mean: number): number {
    if (mean > 500) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.float(); product > limit; product *= this.float()) count += 1;
    return count;
  }

  #next(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotate(this.#d, 11);
    return result >>> 0;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** FNV-1a over the UTF-16 units. */
function hash(text: string, basis: number): number {
  let value = basis | 0;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}

/** The finaliser of splitmix32: each input bit changes half of the output bits. */
function mix(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
