/** D4: one bill per completed trip, none otherwise; what the customer pays is what driver, platform and merchant get. */
import type { JobBilled, TripChanged } from "#schemas";
import { topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

interface Completed {
  readonly driverId: string | null;
  readonly attempt: number;
  readonly currency: string;
  readonly goodsMinor: number;
  readonly partition: number;
  readonly offset: number;
  bills: number;
}

/** Feed it the trips first, then the bills. */
export class OneBillCheck {
  readonly #findings = new Findings("D4");
  readonly #completed = new Map<string, Completed>();

  addTrip({ value: trip, partition, offset }: ProofRecord<TripChanged>): void {
    if (trip.state !== "completed") return;
    const { driverId, attempt, content } = trip;
    const goodsMinor = content?.kind === "order" ? content.priceMinor : 0;
    const before = this.#completed.get(trip.jobId)?.bills ?? 0;
    this.#completed.set(trip.jobId, { driverId, attempt, currency: content?.currency ?? "", goodsMinor, partition, offset, bills: before });
  }

  addBill(record: ProofRecord<JobBilled>): void {
    const { value: bill } = record;
    this.#findings.checked();
    const complain = (why: string): void => this.#findings.violated(topicNames.bills, record, `the bill of job ${bill.jobId} ${why}`);
    const trip = this.#completed.get(bill.jobId);
    if (trip === undefined) return complain("is for a job that was not completed");
    if (++trip.bills > 1) complain(`is its number ${trip.bills}`);
    if (bill.driverId !== trip.driverId || bill.attempt !== trip.attempt) {
      complain(`names driver ${bill.driverId}, attempt ${bill.attempt}; completed by ${trip.driverId}, attempt ${trip.attempt}`);
    }
    if (bill.currency !== trip.currency) complain(`is in ${bill.currency}, the job in ${trip.currency}`);
    const { customerMinor, driverMinor, platformMinor, merchantMinor } = bill;
    const amounts = [
      customerMinor,
      driverMinor,
      platformMinor,
      merchantMinor,
      bill.surgeMilli,
      ...bill.lines.map((line) => line.amountMinor),
    ];
    if (!amounts.every((amount) => Number.isSafeInteger(amount))) complain(`has amounts that are not whole: ${amounts.join(", ")}`);
    if (customerMinor !== driverMinor + platformMinor + merchantMinor) {
      complain(`takes ${customerMinor} and gives ${driverMinor} + ${platformMinor} + ${merchantMinor}`);
    }
    const lines = bill.lines.reduce((sum, line) => sum + line.amountMinor, 0);
    if (lines !== customerMinor) complain(`has lines that add up to ${lines}, not ${customerMinor}`);
    if (merchantMinor !== trip.goodsMinor) complain(`gives the merchant ${merchantMinor} for goods of ${trip.goodsMinor}`);
  }

  /** At quiescence no bill is missing. */
  verdict(options: { readonly quiescent: boolean }): Verdict {
    if (options.quiescent) {
      for (const [jobId, trip] of this.#completed) {
        if (trip.bills === 0) this.#findings.violated(topicNames.trips, trip, `completed job ${jobId} has no bill`);
      }
    }
    return this.#findings.verdict();
  }
}
