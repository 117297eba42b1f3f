/** The `billing` task: one bill a completed trip, keyed by jobId, whatever is read twice. */
import type { Point, TripChanged } from "#schemas";
import type { KeyValueDescriptor } from "#state";
import type { ProcessorSupplier } from "#streams";
import type { DispatchTopics } from "../topics.ts";
import { billFor } from "./bill.ts";

export interface BillingSetup {
  /** jobId → when it was billed. */
  readonly billed: KeyValueDescriptor<string, number>;
  readonly topics: Pick<DispatchTopics, "bills">;
  metresBetween(a: Point, b: Point): number;
}

export function billingProcessor(setup: BillingSetup): ProcessorSupplier<string, TripChanged> {
  return (context) => {
    const billed = context.store(setup.billed);
    const bills = context.sink(setup.topics.bills);
    return {
      process({ key, value }) {
        if (value.state !== "completed" || value.content === null || billed.get(key) !== undefined) return;
        const bill = billFor(value, setup.metresBetween(value.content.pickup, value.content.dropOff));
        if (bill === undefined) return;
        billed.put(key, bill.at);
        bills.send(key, bill);
      },
    };
  };
}
