/** D1 to D5 and the life of every job, over the topics of one run, each read once. */
import { DriverPlansCheck } from "./driver-plans.ts";
import { EffectsCheck } from "./effects.ts";
import { each, topicNames } from "./history.ts";
import type { History } from "./history.ts";
import { JobLifeCheck } from "./job-life-check.ts";
import { LocationsCheck } from "./locations.ts";
import type { LocationRules } from "./locations.ts";
import { OneBillCheck } from "./one-bill.ts";
import { OneDriverCheck } from "./one-driver.ts";
import { OneEndCheck } from "./one-end.ts";
import { requestOfOrder, requestOfRide } from "./request.ts";
import type { Request } from "./request.ts";
import type { Verdict } from "./verdict.ts";

export interface CheckOptions {
  /** Nothing is on the way any more: what has not ended, been billed or had an effect by now never will. Default true. */
  readonly quiescent?: boolean;
  /** In force during the whole of a run in virtual time: each location is judged by them. */
  readonly locationRules?: LocationRules;
}

/**
 * Six verdicts: D1, D2, D3, D4, D5, life. Memory follows the number of jobs, requests, job updates and assignments; trips,
 * bills and matching input stream through. Throws RangeError for a partition that is not in the order of its offsets.
 */
export async function checkInvariants(history: History, options: CheckOptions = {}): Promise<readonly Verdict[]> {
  const quiescent = options.quiescent ?? true;
  const oneDriver = new OneDriverCheck();
  const plans = new DriverPlansCheck();
  const oneEnd = new OneEndCheck();
  const oneBill = new OneBillCheck();
  const effects = new EffectsCheck();
  const life = new JobLifeCheck();

  const complain = effects.violated.bind(effects);
  const locations = options.locationRules === undefined ? undefined : new LocationsCheck(options.locationRules, complain);

  await each(topicNames.refusals, history.refusals, (record) => {
    effects.addRefusal(record);
    locations?.addRefusal(record);
  });
  const request = (topic: string, jobId: string, of: Request): void => {
    if (!effects.refused(topic, of, of)) life.addRequest(jobId, of);
  };
  for (const name of ["orders", "rides", "driverEvents", "jobUpdates"] as const) {
    if (history[name] !== undefined) effects.gives(topicNames[name]);
  }
  await each(topicNames.orders, history.orders, (record) => request(topicNames.orders, record.value.orderId, requestOfOrder(record)));
  await each(topicNames.rides, history.rides, (record) => request(topicNames.rides, record.value.rideId, requestOfRide(record)));
  await each(topicNames.driverEvents, history.driverEvents, (record) => {
    if (effects.addDriverEvent(record)) locations?.addDriverEvent(record);
    plans.addDriverEvent(record);
  });
  if (locations !== undefined) {
    effects.gives(topicNames.driverLocations);
    await each(topicNames.driverLocations, history.driverLocations, (record) => {
      effects.refused(topicNames.driverLocations, record.value, record);
      locations.add(record);
    });
  }
  await each(topicNames.jobUpdates, history.jobUpdates, (record) => {
    effects.addJobUpdate(record);
    oneBill.addUpdate(record);
    life.addUpdate(record);
  });
  await each(topicNames.matchingInput, history.matchingInput, (record) => {
    effects.addMatchingInput(record);
    plans.addMatchingInput(record);
  });
  await each(topicNames.assignments, history.assignments, (record) => {
    oneDriver.add(record);
    plans.addAssignment(record);
    life.addAssignment(record);
  });
  await each(topicNames.trips, history.trips, (record) => {
    oneEnd.add(record);
    plans.addTrip(record);
    oneBill.addTrip(record);
    life.addTrip(record);
  });
  await each(topicNames.bills, history.bills, (record) => oneBill.addBill(record));

  if (quiescent) for (const [jobId, left] of life.unconsumedRequests()) effects.addUnconsumed(jobId, left);
  if (quiescent) for (const late of life.lateProgress()) effects.addLateProgress(late.update, late);
  const end = { quiescent };
  return [oneDriver.verdict(), plans.verdict(), oneEnd.verdict(end), oneBill.verdict(end), effects.verdict(end), life.verdict(end)];
}
