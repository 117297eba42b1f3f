/** Time and chance of one simulated process: it may stand still, run ahead or behind, and be over at any moment. */
import { seededRandom, type Surroundings, type VirtualScheduler } from "#log/kafka/simulated";

export class ProcessTime implements Surroundings {
  readonly random: () => number;
  /** Grows with everything that happens to the process: while it stands, a step has nothing new to do before it is due. */
  happened = 0;
  /** Timers that are set. */
  timers = 0;
  readonly #scheduler: VirtualScheduler;
  #skewMs = 0;
  #dead = false;
  #paused = false;
  #held: (() => boolean)[] = [];

  constructor(scheduler: VirtualScheduler, seed: number) {
    this.#scheduler = scheduler;
    this.random = seededRandom(seed);
  }

  /** Of its clock against the true time. */
  get skewMs(): number {
    return this.#skewMs;
  }

  set skewMs(skewMs: number) {
    this.#skewMs = skewMs;
    this.happened += 1;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Nothing of it runs now. */
  get still(): boolean {
    return this.#dead || this.#paused;
  }

  readonly now = (): number => this.#scheduler.now() + this.#skewMs;

  readonly after = (ms: number, then: () => void): (() => void) => {
    let open = true;
    this.timers += 1;
    const close = (): void => {
      if (open) this.timers -= 1;
      open = false;
    };
    const act = (): boolean => {
      if (!open) return false;
      close();
      if (this.#dead) return false;
      this.happened += 1;
      then();
      return true;
    };
    this.#scheduler.after(ms, () => {
      if (!this.#paused) return act();
      this.#held.push(act);
      return false;
    });
    return close;
  };

  pause(): void {
    this.#paused = true;
  }

  /** What would have happened meanwhile happens now, in its order. */
  resume(): void {
    this.#paused = false;
    this.happened += 1;
    const held = this.#held;
    this.#held = [];
    for (const act of held) this.#scheduler.after(0, act);
  }

  kill(): void {
    this.#dead = true;
    this.#held = [];
  }
}
