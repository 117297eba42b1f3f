/**
 * After a commit whose content was to blame: one unit per transaction until the culprit has been dead-lettered, or until as
 * many units went through as the commit that failed had.
 */
import type { UnitOrigin } from "../task/dead-letter.ts";
import type { CondemnedUnit, Task } from "../task/task.ts";

export class CarefulMode {
  readonly condemned: CondemnedUnit[] = [];
  #unitsLeft = 0;
  #unit: { readonly task: string; readonly origin: UnitOrigin; readonly culprit: boolean } | undefined;

  get on(): boolean {
    return this.#unitsLeft > 0;
  }

  enter(units: number): void {
    if (!this.on) this.#unitsLeft = Math.max(1, units);
  }

  /** The one unit that the next commit carries. `culprit`: it has been dead-lettered because it would not encode. */
  carries(task: Task, culprit: boolean): void {
    const origin = task.lastUnit();
    this.#unit = { task: task.name, origin, culprit: culprit || task.lastUnitCondemned };
  }

  committed(): void {
    if (this.#unit?.culprit === true) {
      this.#unitsLeft = 0;
      this.condemned.length = 0;
    } else if (this.#unitsLeft > 0) this.#unitsLeft--;
    this.#unit = undefined;
  }

  /** The commit of that one unit was refused; false when even its dead letter was. */
  refused(error: Error): boolean {
    const unit = this.#unit;
    this.#unit = undefined;
    if (unit === undefined) return true;
    if (unit.culprit) return false;
    this.condemned.push({ task: unit.task, origin: unit.origin, error });
    return true;
  }
}
