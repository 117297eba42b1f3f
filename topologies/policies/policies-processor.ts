/** The `policies` task: each published policy becomes a record in every partition of the three protocol topics. */
import type { ZonePolicy } from "#schemas";
import type { ProcessorSupplier } from "#streams";
import type { DispatchTopics } from "../topics.ts";
import { checkPolicy } from "./check-policy.ts";

export interface PoliciesSetup {
  readonly topics: Pick<DispatchTopics, "driverCommands" | "jobUpdates" | "matchingInput">;
  /** Names of the matching algorithms that are deployed. */
  readonly known: readonly string[];
}

/** A policy that makes no sense throws TopologiesError and so becomes a dead letter: none of the copies is written. */
export function policiesProcessor(setup: PoliciesSetup): ProcessorSupplier<string, ZonePolicy> {
  return (context) => {
    const sinks = [
      context.sink(setup.topics.driverCommands),
      context.sink(setup.topics.jobUpdates),
      context.sink(setup.topics.matchingInput),
    ];
    return {
      process({ key, value: policy }) {
        checkPolicy(key, policy, setup.known);
        for (const sink of sinks) {
          for (let partition = 0; partition < sink.partitions; partition++)
            sink.send(key, { type: "PolicyChanged", policy }, { partition });
        }
      },
    };
  };
}
