/** T11: changelogs that were made wrongly, cut or deleted. The application refuses, and names the topic; it never goes on with less than it had. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { afterDamage, topicDamages } from "./cluster/topic-damage.ts";

const missing = whyNoBroker();

describe.skipIf(missing !== undefined)(`changelog topics${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
  }, 180_000);
  afterAll(() => broker?.stop(), 60_000);

  test.each(topicDamages)("a changelog that is %s does not take the state with it", { timeout: 300_000 }, async (name) => {
    expect(await afterDamage(name, broker?.brokers ?? [])).toMatch(/names the topic|went on with everything/);
  });
});
