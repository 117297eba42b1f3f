/** Time as the world's hosts have it: real, so many times as fast, or moved by hand. */

/** Milliseconds since the epoch, whole, never back. */
export interface Clock {
  now(): number;
}

export interface ScaledClockOptions {
  readonly real: Clock;
  /** What it shows at `realStartsAt`. */
  readonly startsAt: number;
  /** On the real clock; default: now. Clocks that share it agree. */
  readonly realStartsAt?: number;
  /** Above 0; 1 is real time. */
  readonly speed: number;
}

/** Runs from `startsAt` at `speed` times the real clock. Throws RangeError for a speed that is not above 0. */
export class ScaledClock implements Clock {
  readonly speed: number;
  readonly #real: Clock;
  readonly #startsAt: number;
  readonly #begunAt: number;

  constructor({ real, startsAt, speed, realStartsAt }: ScaledClockOptions) {
    if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`a speed above 0 expected, found ${speed}`);
    this.speed = speed;
    this.#real = real;
    this.#startsAt = startsAt;
    this.#begunAt = realStartsAt ?? real.now();
  }

  now(): number {
    return this.#startsAt + Math.floor((this.#real.now() - this.#begunAt) * this.speed);
  }

  /** Real milliseconds until it shows `at`; 0 when it does already. */
  realMsUntil(at: number): number {
    return Math.max(0, Math.ceil((at - this.now()) / this.speed));
  }
}

/** Stands still until it is moved. */
export class VirtualClock implements Clock {
  #now: number;

  constructor(startsAt: number) {
    this.#now = startsAt;
  }

  now(): number {
    return this.#now;
  }

  /** Throws RangeError when it would go back. */
  advanceTo(at: number): void {
    if (at < this.#now) throw new RangeError(`time ${at} lies before ${this.#now}`);
    this.#now = at;
  }
}
