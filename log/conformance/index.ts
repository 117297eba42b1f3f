/** One suite for every backend of the log port. It is written against the contract: offsets of transactional writes need not be dense. */
import { afterEach, beforeEach, describe } from "vitest";
import type { LogConformanceOptions, LogUnderTest } from "./log-under-test.ts";
import { membershipCases } from "./membership-cases.ts";
import { readingCases } from "./reading-cases.ts";
import { topicCases } from "./topic-cases.ts";
import { writingCases } from "./writing-cases.ts";

export type { LogConformanceOptions, LogUnderTest } from "./log-under-test.ts";

/** Defines the cases as vitest tests; call it at the top of a test file. */
export function logConformance(options: LogConformanceOptions): void {
  const waitMsMax = options.waitMsMax ?? 5000;
  describe(`${options.name} as a log`, () => {
    let current: LogUnderTest | undefined;
    beforeEach(async () => {
      current = await options.open();
    });
    afterEach(() => current?.close());
    const under = (): LogUnderTest => {
      if (current === undefined) throw new Error("opened before each case");
      return current;
    };
    topicCases(under);
    writingCases(under, waitMsMax);
    readingCases(under, waitMsMax);
    membershipCases(under, waitMsMax);
  });
}
