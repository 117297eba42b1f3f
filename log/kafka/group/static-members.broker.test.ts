import { afterAll, beforeAll, describe } from "vitest";
import { openKafkaLog } from "../kafka-log.ts";
import { startTestBroker, whyNoBroker, type TestBroker } from "../testing/kafka-broker.ts";
import { staticMemberCases } from "../testing/static-member-cases.ts";

const missing = whyNoBroker();

describe.skipIf(missing !== undefined)(`static members on a broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
  }, 120_000);
  afterAll(() => broker?.stop(), 30_000);

  staticMemberCases((times) => openKafkaLog({ brokers: broker?.brokers ?? [], clientId: "test", ...times }));
});
