/** What the evaluator finds in a solution. */

/**
 * 1 travel, 2 information, 3 bundle, 4 pickup, 5 drop, 6 shift, 7 obedience, 8 no diversion, 9 once and not before placement,
 * 10 pay: the rules of the problem. 0: the files' format. 11: the three files agree with each other and with the instance.
 */
export type MdrpRule = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11;

export type SolutionFileName = "solution_info_assignments.txt" | "solution_info_orders.txt" | "solution_info_couriers.txt";

export interface MdrpFinding {
  readonly rule: MdrpRule;
  /** A warning leaves a solution feasible. */
  readonly severity: "violation" | "warning";
  readonly message: string;
  readonly file: SolutionFileName;
  /** From 1. */
  readonly line: number;
  readonly order?: string;
  readonly courier?: string;
}

/** Collects; at most `most` are kept of each severity, all are counted. */
export class Findings {
  readonly violations: MdrpFinding[] = [];
  readonly warnings: MdrpFinding[] = [];
  violationCount = 0;
  warningCount = 0;
  readonly #most: number;

  constructor(most = 1_000) {
    this.#most = most;
  }

  violation(rule: MdrpRule, message: string, where: Where): void {
    this.violationCount += 1;
    if (this.violations.length < this.#most) this.violations.push({ rule, severity: "violation", message, ...where });
  }

  warning(rule: MdrpRule, message: string, where: Where): void {
    this.warningCount += 1;
    if (this.warnings.length < this.#most) this.warnings.push({ rule, severity: "warning", message, ...where });
  }
}

export interface Where {
  readonly file: SolutionFileName;
  readonly line: number;
  readonly order?: string;
  readonly courier?: string;
}
