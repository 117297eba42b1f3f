/** Which broker a test has to hit: the one that leads a partition, or coordinates a group or a transactional id, just now. */
import { Cluster } from "../client/cluster.ts";
import { openSocketWire } from "../client/wire.ts";
import { realSurroundings } from "../defaults.ts";

export type BrokerRole =
  | { readonly role: "leader"; readonly topic: string; readonly partition: number }
  | { readonly role: "group" | "transaction"; readonly key: string };

/** HOST:PORT. Throws `LOG_UNAVAILABLE` while nobody does. */
export async function whoServes(brokers: readonly string[], what: BrokerRole): Promise<string> {
  const wire = openSocketWire({ clientId: "test", security: {} });
  const bootstrap = brokers.map((each) => ({ host: each.split(":")[0] ?? "", port: Number(each.split(":")[1]) }));
  const cluster = new Cluster({ wire, surroundings: realSurroundings, bootstrap });
  try {
    await cluster.open();
    const { host, port } =
      what.role === "leader" ? cluster.leader(what.topic, what.partition, "test") : await cluster.coordinator(what.role, what.key, "test");
    return `${host}:${port}`;
  } finally {
    cluster.close();
    await wire.close();
  }
}
