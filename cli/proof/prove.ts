/** The verdict on a log: D1 to D5 and the life of each job, from the committed topics alone. */
import pc from "picocolors";
import type { Log } from "#log";
import { checkInvariants, type CheckOptions, type History, type Verdict } from "#proof";
import type { DispatchTopics } from "#topologies";
import { readTopic } from "./read-topic.ts";

/** `quiescent`: everything that was going to happen has happened, so nothing may be left open. */
export function prove(
  log: Log,
  topics: DispatchTopics,
  options: CheckOptions & { readonly quiescent: boolean },
): Promise<readonly Verdict[]> {
  return checkInvariants(historyOf(log, topics), options);
}

/** The topics as the checks read them: once. */
export function historyOf(log: Log, topics: DispatchTopics): History {
  return {
    orders: readTopic(log, topics.orders),
    rides: readTopic(log, topics.rides),
    driverEvents: readTopic(log, topics.driverEvents),
    refusals: readTopic(log, topics.refusals),
    jobUpdates: readTopic(log, topics.jobUpdates),
    assignments: readTopic(log, topics.assignments),
    trips: readTopic(log, topics.trips),
    bills: readTopic(log, topics.bills),
    matchingInput: readTopic(log, topics.matchingInput),
    driverLocations: readTopic(log, topics.driverLocations),
  };
}

export function verdictLines(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.flatMap(({ invariant, ok, checked, violationCount, violations }) => [
    `${ok ? pc.green("✔") : pc.red("✘")} ${invariant.padEnd(4)} ${checked} checked${ok ? "" : `, ${violationCount} violated`}`,
    ...violations.map((violation) => `    ${violation}`),
  ]);
}
