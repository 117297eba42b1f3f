/** Which application a seed plays. */
import type { SimulatedApplication, TrafficOptions } from "./application.ts";
import { dispatchApplication } from "./dispatch/dispatch-application.ts";
import { ledgerApplication } from "./ledger/ledger-application.ts";

export function applicationOf(options: TrafficOptions): SimulatedApplication {
  return options.options.application === "dispatch" ? dispatchApplication(options) : ledgerApplication(options);
}
