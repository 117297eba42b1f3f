/** D4: one bill per completed trip, none otherwise; what the customer pays was quoted, and is what driver, platform and merchant get. */
import type { JobBilled, JobUpdate, TripChanged } from "#schemas";
import { topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

interface Completed {
  readonly driverId: string | null;
  readonly attempt: number;
  readonly currency: string;
  readonly goodsMinor: number;
  /** What the ride was quoted; undefined for an order. */
  readonly fareMinor: number | undefined;
  readonly surgeMilli: number;
  readonly partition: number;
  readonly offset: number;
  bills: number;
}

const NO_SURGE_MILLI = 1_000;

/** Feed it the job updates and the trips first, then the bills. */
export class OneBillCheck {
  readonly #findings = new Findings("D4");
  readonly #told: { readonly partition: number; readonly surgeMilli: number; readonly from: number; readonly until: number }[] = [];
  readonly #completed = new Map<string, Completed>();

  addTrip(record: ProofRecord<TripChanged>): void {
    this.#judgeSurge(record);
    const { value: trip, partition, offset } = record;
    if (trip.state !== "completed") return;
    const { driverId, attempt, content, surgeMilli } = trip;
    const goodsMinor = content?.kind === "order" ? content.priceMinor : 0;
    const fareMinor = content?.kind === "ride" ? content.priceMinor : undefined;
    const bills = this.#completed.get(trip.jobId)?.bills ?? 0;
    const currency = content?.currency ?? "";
    this.#completed.set(trip.jobId, { driverId, attempt, currency, goodsMinor, fareMinor, surgeMilli, partition, offset, bills });
  }

  /** What a partition was told of scarcity: no ride of it has a surge that was not told. */
  addUpdate({ value: update, partition }: ProofRecord<JobUpdate>): void {
    if (update.type === "SurgeChanged") this.#told.push({ partition, surgeMilli: update.surgeMilli, from: update.at, until: update.until });
  }

  #judgeSurge(record: ProofRecord<TripChanged>): void {
    const { value: trip, partition } = record;
    if (trip.jobVersion !== 1 || trip.surgeMilli === NO_SURGE_MILLI) return;
    const told = this.#told.some(
      (surge) => surge.partition === partition && surge.surgeMilli === trip.surgeMilli && surge.from <= trip.at && trip.at < surge.until,
    );
    const complain = (why: string): void => this.#findings.violated(topicNames.trips, record, `job ${trip.jobId} ${why}`);
    if (!told) complain(`has a surge of ${trip.surgeMilli} that nobody told its partition`);
    if (trip.content?.kind !== "ride") complain(`has a surge of ${trip.surgeMilli} and is no ride`);
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
    if (bill.surgeMilli !== trip.surgeMilli) complain(`has a surge of ${bill.surgeMilli}, quoted was ${trip.surgeMilli}`);
    if (trip.fareMinor !== undefined && trip.fareMinor > 0) this.#judgeFare(bill, trip.fareMinor, complain);
    if (merchantMinor !== trip.goodsMinor) complain(`gives the merchant ${merchantMinor} for goods of ${trip.goodsMinor}`);
  }

  /** A ride costs what was quoted, and its surge is the quoted part of base and distance, to the minor unit. */
  #judgeFare(bill: JobBilled, fareMinor: number, complain: (why: string) => void): void {
    if (bill.customerMinor !== fareMinor) complain(`takes ${bill.customerMinor} for a ride quoted at ${fareMinor}`);
    const of = (wanted: string): number =>
      bill.lines.reduce((sum, { kind, amountMinor }) => (kind === wanted ? sum + amountMinor : sum), 0);
    const surgeMinor = Math.floor(((of("base") + of("distance")) * (bill.surgeMilli - NO_SURGE_MILLI)) / 1000);
    if (of("surge") !== surgeMinor) complain(`has ${of("surge")} for a surge of ${bill.surgeMilli}, must have ${surgeMinor}`);
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
