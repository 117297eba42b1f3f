/** A wire without sockets: each method answers what the test gave it, and every call is noted in order. */
import type { KafkaWire, MetadataResponse } from "../client/wire-contract.ts";

export interface ScriptedWire {
  readonly wire: KafkaWire;
  /** Names of the methods as they were called, without those that only ask about the cluster. */
  readonly calls: string[];
}

const ASKING = new Set<keyof KafkaWire>(["metadata", "coordinator", "versions"]);

/** One broker and one topic "out" of two partitions; the rest is the script's. Calls that are not in it fail the test. */
export function scriptedWire(script: Partial<KafkaWire>, transactionVersion: 1 | 2 = 2): ScriptedWire {
  const calls: string[] = [];
  const broker = { host: "broker", port: 9092 };
  const metadata: MetadataResponse = {
    brokers: [{ ...broker, nodeId: 1 }],
    topics: [
      {
        name: "out",
        topicId: "00",
        internal: false,
        errorCode: 0,
        partitions: [0, 1].map((partition) => ({ partition, leader: 1, errorCode: 0 })),
      },
    ],
  };
  const all: Partial<KafkaWire> = {
    versions: async () => ({ errorCode: 0, versionMax: new Map([[1, 17]]), transactionVersion }),
    metadata: async () => metadata,
    coordinator: async () => ({ errorCode: 0, ...broker }),
    close: async () => {},
    ...script,
  };
  const wire = new Proxy(all, {
    get: (target, name: keyof KafkaWire) => {
      const method = target[name] as ((...args: unknown[]) => unknown) | undefined;
      return (...args: unknown[]) => {
        if (!ASKING.has(name)) calls.push(name);
        if (method === undefined) throw new Error(`${name} is not in the script`);
        return method.apply(target, args);
      };
    },
  });
  // Every name answers, by the proxy.
  return { wire: wire as KafkaWire, calls };
}
