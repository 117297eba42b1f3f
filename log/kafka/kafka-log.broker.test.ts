/** The Kafka log on a real broker passes the suite of the port. */
import { afterAll, beforeAll, describe } from "vitest";
import { logConformance } from "../conformance/index.ts";
import { openKafkaLog } from "./kafka-log.ts";
import type { KafkaLogOptions } from "./kafka-log.ts";
import { startTestBroker, whyNoBroker } from "./testing/kafka-broker.ts";
import type { TestBroker } from "./testing/kafka-broker.ts";
import type { LogUnderTest } from "../conformance/index.ts";

const missing = whyNoBroker();
/** A broker that is named has the version that it has. */
const versions = process.env["KAFKA_BROKERS"] === undefined ? ([1, 2] as const) : ([undefined] as const);

describe.skipIf(missing !== undefined).each(versions)(`transaction version %s${missing === undefined ? "" : `: ${missing}`}`, (version) => {
  let broker: TestBroker | undefined;
  beforeAll(async () => {
    broker = await startTestBroker(version === undefined ? {} : { transactionVersion: version });
  }, 120_000);
  afterAll(() => broker?.stop(), 30_000);

  async function open(options: Partial<KafkaLogOptions> = {}): Promise<LogUnderTest> {
    const log = await openKafkaLog({ brokers: broker?.brokers ?? [], clientId: "test", heartbeatMs: 100, ...options });
    return {
      log,
      reopen: async () => {
        await log.close();
        return open(options);
      },
      close: () => log.close(),
    };
  }

  logConformance({ name: `kafka with transaction version ${version ?? "of the broker"}`, open: () => open() });
});
