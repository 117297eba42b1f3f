/** All processes of a run, the living, the paused and the dead: whoever ends is started again after a while, as orchestrators do. */
import { between, seededRandom, type Random, type SimulatedCluster, type VirtualScheduler } from "#log/kafka/simulated";
import type { Disk } from "#disk";
import type { Assignment } from "#streams";
import type { SimulatedApplication } from "./application.ts";
import type { SeedOptions } from "./faults/fault-plan.ts";
import type { FaultyNetwork } from "./faults/faulty-network.ts";
import type { CrashPoint, Hits } from "./faults/hits.ts";
import type { Planted } from "./planted/planted.ts";
import { freshRows, SimulatedProcess } from "./simulated-process.ts";
import { Violation } from "./checks/violation.ts";

export interface FleetOptions {
  readonly assignments: readonly Assignment[];
  readonly options: SeedOptions;
  readonly scheduler: VirtualScheduler;
  readonly application: SimulatedApplication;
  readonly planted: Planted;
  readonly cluster: SimulatedCluster;
  readonly network: FaultyNetwork;
  readonly hits: Hits;
  /** The process runs other tasks than before. */
  readonly changed: (process: SimulatedProcess) => void;
}

export class ProcessFleet {
  readonly #options: FleetOptions;
  readonly #random: Random;
  readonly #living = new Map<string, SimulatedProcess>();
  /** The process of each instance that counts; others are zombies. */
  readonly #present: (SimulatedProcess | undefined)[] = [];
  readonly #earlier: (Disk | undefined)[] = [];
  readonly #lastErrors: string[] = [];
  readonly #dead = new Set<string>();
  #lives = 0;
  #stopping = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#random = seededRandom(options.options.seed + 0xf1ee);
  }

  get all(): readonly SimulatedProcess[] {
    return [...this.#living.values()];
  }

  get running(): number {
    return this.#living.size;
  }

  isDead(client: string): boolean {
    return this.#dead.has(client);
  }

  start(): void {
    for (let instance = 0; instance < this.#options.options.instances; instance++) this.#launch(instance, freshRows());
  }

  /** At once; it comes again later. */
  kill(client: string): void {
    const process = this.#living.get(client);
    if (process === undefined) return;
    process.time.kill();
    this.#living.delete(client);
    const instance = this.#present.indexOf(process);
    if (instance >= 0) this.#comeAgain(instance, process.rows);
  }

  killAll(): void {
    for (const process of this.#living.values()) process.time.kill();
    this.#living.clear();
  }

  /** One of those that count. */
  any(): { readonly instance: number; readonly process: SimulatedProcess } | undefined {
    const instance = between(this.#random, 0, this.#options.options.instances - 1);
    const process = this.#present[instance];
    return process === undefined || process.time.dead ? undefined : { instance, process };
  }

  pause(process: SimulatedProcess, ms: number): void {
    process.time.pause();
    this.#options.scheduler.after(ms, () => process.time.resume());
  }

  /** Another process under the same name, over a copy of the rows, while the first stands still: it will go on as if nothing had been. */
  replace(instance: number, process: SimulatedProcess, ms: number): void {
    this.pause(process, ms);
    this.#launch(instance, copyOf(process.rows));
    this.#options.scheduler.after(ms + 60_000, () => this.#bury(process));
  }

  /** One more member for a while; then it leaves, or is killed. False where tasks are split for good. */
  invite(ms: number): boolean {
    const { options, scheduler } = this.#options;
    if (options.group === undefined) return false;
    const guest = this.#make(options.instances + this.#lives, freshRows());
    guest.begin();
    scheduler.after(ms, () => {
      if (this.#random() < 0.6) guest.stop();
      else this.#bury(guest);
    });
    // A guest does not stay, whatever holds it up.
    scheduler.after(ms + 30_000, () => this.#bury(guest));
    return true;
  }

  /** What the instance finds when it is started next: nothing, or what there was some time ago. */
  loseRows(instance: number): void {
    this.#earlier[instance] = this.#random() < 0.5 ? freshRows() : copyOf(this.#present[instance]?.rows ?? freshRows());
  }

  restart(process: SimulatedProcess): void {
    process.stop();
  }

  /** After the last fault: nobody stands still, and nobody is there twice. */
  recover(): void {
    for (const process of this.all) {
      process.time.resume();
      if (!this.#present.includes(process)) this.#bury(process);
    }
  }

  stopAll(): void {
    this.#stopping = true;
    for (const process of this.#living.values()) process.stop();
  }

  /** False when nobody had anything to do. */
  step(): boolean {
    let stepped = false;
    for (const process of this.#living.values()) {
      const { running } = process;
      stepped = process.step() || stepped;
      if (process.running !== running) this.#options.changed(process);
      if (process.ended) this.#ended(process);
    }
    return stepped;
  }

  nextDueAt(): number {
    let due = Infinity;
    for (const process of this.#living.values()) due = Math.min(due, process.waitsFor);
    return due;
  }

  /** I10: what is buffered is bounded. */
  check(): void {
    for (const process of this.#living.values()) {
      const { bufferedRecords = 0 } = process.thread?.metrics() ?? {};
      if (bufferedRecords > 20_000) throw new Violation("I10", `${process.client} holds ${bufferedRecords} records.`);
    }
  }

  describe(): string {
    const states = [...this.#living.values()].map(
      ({ client, thread, time }) => `${client} is ${time.still ? "still" : (thread?.state ?? "opening")}`,
    );
    return `${states.join(", ")}. Last errors: ${this.#lastErrors.slice(-3).join(" | ") || "none"}`;
  }

  #ended(process: SimulatedProcess): void {
    const { bug, error } = process;
    if (process.closed && process.time.timers > 0)
      throw new Violation("I11", `${process.client} has closed everything, and ${process.time.timers} timers of it are set.`);
    if (bug !== undefined) throw new Violation("I11", `${process.client} ends by a bug: ${bug}`);
    if (error !== undefined) {
      this.#options.hits.fault(`ended:${codeOf(error)}`);
      this.#lastErrors.push(error instanceof Error ? error.message : JSON.stringify(error));
    }
    this.#bury(process);
  }

  #bury(process: SimulatedProcess): void {
    if (!this.#living.delete(process.client)) return;
    process.time.kill();
    this.#dead.add(process.client);
    const instance = this.#present.indexOf(process);
    if (instance >= 0) this.#comeAgain(instance, process.rows);
  }

  #comeAgain(instance: number, rows: Disk): void {
    this.#present[instance] = undefined;
    if (this.#stopping) return;
    const { scheduler } = this.#options;
    scheduler.after(between(this.#random, 100, 4000), () => {
      const lost = this.#earlier[instance];
      this.#earlier[instance] = undefined;
      if (this.#present[instance] === undefined) this.#launch(instance, lost ?? rows);
    });
  }

  #launch(instance: number, rows: Disk): void {
    this.#present[instance] = this.#make(instance, rows);
    this.#present[instance]?.begin();
  }

  #make(instance: number, rows: Disk): SimulatedProcess {
    const { assignments, planted, network, changed: _, ...shared } = this.#options;
    const assignment = assignments[instance] ?? { generation: 0, tasks: [] };
    const survives = (point: CrashPoint, client: string): boolean => network.survives(point, client);
    const process = new SimulatedProcess({ ...shared, ...planted, instance, life: this.#lives++, assignment, rows, survives });
    this.#living.set(process.client, process);
    const { skewMs } = shared.application.clocks;
    if (this.#options.options.faults.clock > 0) process.time.skewMs = between(this.#random, -skewMs, skewMs);
    return process;
  }
}

function copyOf(rows: Disk): Disk {
  const copy = freshRows();
  const batch = copy.batch();
  for (const family of ["log", "rows"] as const) for (const [key, value] of rows.entries(family, {})) batch.put(family, key, value);
  copy.write(batch, { sync: true });
  return copy;
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as { readonly code?: string }).code ?? error.name) : "unknown";
}
