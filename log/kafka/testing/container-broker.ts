/** A broker in a container, where a container runtime is at hand. */
import { spawnSync } from "node:child_process";
import { KafkaContainer } from "@testcontainers/kafka";
import { getContainerRuntimeClient } from "testcontainers";

const IMAGE = "confluentinc/cp-kafka:8.1.0";
const ASK_MS_MAX = 5_000;

/** Undefined when containers can be run; else why not. */
export function whyNoContainers(): string | undefined {
  const answer = spawnSync("docker", ["info", "--format", "{{.ServerVersion}}"], { encoding: "utf8", timeout: ASK_MS_MAX });
  if (answer.error !== undefined) return "there is no docker command";
  return answer.status === 0 ? undefined : "no container runtime answers";
}

/** With Kafka's own defaults, and a group that does not wait for members. Throws when no runtime answers. */
export async function startContainerBroker(): Promise<{ readonly brokers: readonly string[]; stop(): Promise<void> }> {
  await getContainerRuntimeClient();
  const container = await new KafkaContainer(IMAGE)
    .withKraft()
    .withEnvironment({
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: "1000",
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    })
    .start();
  return {
    brokers: [`${container.getHost()}:${container.getMappedPort(9093)}`],
    stop: async () => void (await container.stop()),
  };
}
