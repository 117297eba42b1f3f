/** The `billing` task: one bill a completed trip, keyed by jobId, whatever is read twice. */
import type { Point, TripChanged } from "#schemas";
import type { KeyValueDescriptor } from "#state";
import type { ProcessorSupplier } from "#streams";
import { FORGET_CHECK_MS, ForgetList } from "../forget-list.ts";
import type { ForgetDescriptor } from "../forget-list.ts";
import type { DispatchTopics } from "../topics.ts";
import { billFor } from "./bill.ts";

export interface BillingSetup {
  /** jobId → when it was billed. */
  readonly billed: KeyValueDescriptor<string, number>;
  /** Billed jobs by that time. */
  readonly forgets: ForgetDescriptor;
  readonly topics: Pick<DispatchTopics, "bills">;
  metresBetween(a: Point, b: Point): number;
}

export function billingProcessor(setup: BillingSetup): ProcessorSupplier<string, TripChanged> {
  return (context) => {
    const billed = context.store(setup.billed);
    const forgets = new ForgetList(context.store(setup.forgets));
    const bills = context.sink(setup.topics.bills);
    context.punctuate({ name: "forget", clock: "stream", intervalMs: FORGET_CHECK_MS }, (now) => {
      forgets.check(now, (jobId) => {
        billed.delete(jobId);
        return true;
      });
    });
    return {
      process({ key, value }) {
        if (value.state !== "completed" || value.content === null || billed.get(key) !== undefined) return;
        const bill = billFor(value, setup.metresBetween(value.content.pickup, value.content.dropOff));
        if (bill === undefined) return;
        billed.put(key, bill.at);
        forgets.add(key, bill.at);
        bills.send(key, bill);
      },
    };
  };
}
