/** How the work of a day lay on its dispatch cells, from the one ordered input of matching. */
import type { MatchingInput } from "#schemas";
import { readTopic } from "../proof/read-topic.ts";
import type { System } from "../system/open-system.ts";
import { table } from "../terminal/table.ts";

export interface CellLoad {
  readonly cell: string;
  /** Records of the cell: what its partition had to read. */
  readonly records: number;
  readonly jobs: number;
  /** Jobs opened again after a driver gave them back. */
  readonly reopened: number;
  readonly jobsWaitingMax: number;
  readonly driversMax: number;
  /** Proposals that a driver refused, mostly because another cell was first. */
  readonly refused: number;
}

/** The busiest cell first. */
export async function cellLoads({ log, topics }: Pick<System, "log" | "topics">): Promise<readonly CellLoad[]> {
  const cells = new Map<string, Cell>();
  for await (const { value } of readTopic(log, topics.matchingInput)) {
    if (value.type === "Ticked" || value.type === "PolicyChanged") continue;
    let cell = cells.get(value.cell);
    if (cell === undefined) cells.set(value.cell, (cell = new Cell(value.cell)));
    cell.take(value);
  }
  return [...cells.values()].map((cell) => cell.load()).sort((a, b) => b.records - a.records || (a.cell < b.cell ? -1 : 1));
}

export function cellTable(loads: readonly CellLoad[], rowsMax: number): string {
  const rows = loads.slice(0, rowsMax);
  const head = ["cell", "records", "jobs", "reopened", "waiting max", "drivers max", "refused"];
  const text = table(
    head,
    rows.map(({ cell, records, jobs, reopened, jobsWaitingMax, driversMax, refused }) => [
      cell,
      records,
      jobs,
      reopened,
      jobsWaitingMax,
      driversMax,
      refused,
    ]),
  );
  return loads.length > rows.length ? `${text}\n… and ${loads.length - rows.length} more cells` : text;
}

class Cell {
  readonly #name: string;
  readonly #waiting = new Set<string>();
  readonly #drivers = new Set<string>();
  #records = 0;
  #jobs = 0;
  #reopened = 0;
  #refused = 0;
  #waitingMax = 0;
  #driversMax = 0;

  constructor(name: string) {
    this.#name = name;
  }

  take(input: Exclude<MatchingInput, { type: "Ticked" | "PolicyChanged" }>): void {
    this.#records++;
    switch (input.type) {
      case "JobOpened":
        // Said again with newer content it is there already.
        if (this.#waiting.has(input.jobId)) return;
        this.#waiting.add(input.jobId);
        this.#waitingMax = Math.max(this.#waitingMax, this.#waiting.size);
        if (input.attempt === 1) this.#jobs++;
        else this.#reopened++;
        return;
      case "JobClosed":
        this.#waiting.delete(input.jobId);
        return;
      case "DriverPresent":
        if (input.present) this.#drivers.add(input.driverId);
        else this.#drivers.delete(input.driverId);
        this.#driversMax = Math.max(this.#driversMax, this.#drivers.size);
        return;
      case "JobNearby":
        return;
      case "ProposalRefused":
        this.#refused++;
        return;
      default:
        throw new TypeError(`no such input: ${JSON.stringify(input satisfies never)}`);
    }
  }

  load(): CellLoad {
    return {
      cell: this.#name,
      records: this.#records,
      jobs: this.#jobs,
      reopened: this.#reopened,
      jobsWaitingMax: this.#waitingMax,
      driversMax: this.#driversMax,
      refused: this.#refused,
    };
  }
}
