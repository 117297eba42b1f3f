/** The programs of foreign users beside a running application: what they write is dispatched, and they read who was assigned. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { startRealRegistry, whyNoRegistry, type RealRegistry } from "../schemas/testing/apicurio.ts";
import { CommandProcess } from "#cli/testing";

const why = whyNoBroker() ?? whyNoRegistry();
const scratch = mkdtempSync(join(tmpdir(), "slackline-examples-"));
const start = promisify(execFile);
let broker: TestBroker | undefined;
let registry: RealRegistry | undefined;
let instance: CommandProcess | undefined;

describe.skipIf(why !== undefined)(`the examples${why === undefined ? "" : `: ${why}`}`, () => {
  beforeAll(async () => {
    [broker, registry] = await Promise.all([startTestBroker(), startRealRegistry()]);
    instance = new CommandProcess(["run", "--dir", join(scratch, "state"), "--port", "0", "--partitions", "2", "--register-schemas"], {
      KAFKA_BROKERS: broker.brokers.join(","),
      SCHEMA_REGISTRY_URL: registry.url,
    });
    const url = await instance.url();
    while ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok !== true) {
      if (instance.over) throw new Error(instance.err);
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
    }
  }, 240_000);
  afterAll(async () => {
    await instance?.kill();
    registry?.stop();
    await broker?.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }, 60_000);

  test("a KafkaJS producer orders, and Kafka's own consumer in Java reads the assignments", { timeout: 300_000 }, async () => {
    const brokers = broker?.brokers.join(",") ?? "";
    const schemas = registry?.url ?? "";
    const environment = { ...process.env, KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: schemas };
    const said = await start(process.execPath, ["examples/kafkajs-producer.ts", "--orders", "2"], { env: environment });
    const orders = [...said.stdout.matchAll(/^dispatch\.orders\.v1 \d+@\d+ (\S+)$/gm)].map(([, orderId]) => orderId);
    expect(orders).toHaveLength(2);
    expect(said.stdout).toMatch(/^dispatch\.driver-locations\.v1 \d+@\d+ driver-/m);
    const classPath = join(scratch, "classpath");
    await start("mvn", ["-B", "-q", "-f", "examples/pom.xml", "dependency:build-classpath", `-Dmdep.outputFile=${classPath}`]);
    const words = ["-cp", readFileSync(classPath, "utf8").trim(), "examples/CommittedAssignments.java", brokers, schemas, "2"];
    const read = await start("java", words, { timeout: 180_000 });
    const assigned = [...read.stdout.matchAll(/^DriverAssigned (\S+) .*"driverId": "driver-/gm)].map(([, orderId = ""]) => orderId);
    expect(
      assigned.toSorted((a, b) => (a < b ? -1 : 1)),
      read.stdout,
    ).toEqual(orders);
  });
});
