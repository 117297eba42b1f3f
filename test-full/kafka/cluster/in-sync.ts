/** Whether a cluster is whole: who kills the next broker before it is takes away what the last one had not yet copied back. */
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";

const LOOK_MS = 250;
const IN_SYNC_MS_MAX = 180_000;

/** Every replica of every partition is in sync. Throws after three minutes. */
export async function untilInSync(brokers: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], clientId: "operator", logLevel: logLevel.NOTHING }).admin();
  const until = Date.now() + IN_SYNC_MS_MAX;
  try {
    await admin.connect();
    for (;;) {
      const behind = await partitionsBehind(admin).catch((error: unknown) => [String(error)]);
      if (behind.length === 0) return;
      if (Date.now() > until) throw new Error(`not in sync after ${IN_SYNC_MS_MAX} ms: ${behind.slice(0, 5).join(", ")}`);
      await sleep(LOOK_MS);
    }
  } finally {
    await admin.disconnect();
  }
}

async function partitionsBehind(admin: ReturnType<Kafka["admin"]>): Promise<readonly string[]> {
  const { topics } = await admin.fetchTopicMetadata();
  return topics.flatMap(({ name, partitions }) =>
    partitions.filter(({ isr, replicas }) => isr.length < replicas.length).map(({ partitionId }) => `${name}/${partitionId}`),
  );
}
