/**
 * Ends what a writer that is gone has left open, as Kafka's own `fenceProducers` does: whoever asks for the producer of a transactional
 * id makes every older one invalid, and the coordinator aborts its transaction. Nobody produces under the identity that is given.
 */
import type { Cluster } from "../client/cluster.ts";
import { NONE } from "../client/error-codes.ts";
import { refusedError } from "../client/rights.ts";
import { FENCE_MS_MAX } from "../defaults.ts";

export interface FenceOptions {
  readonly cluster: Cluster;
  readonly transactionalId: string;
  /** What the coordinator keeps for the id until its next owner says its own. */
  readonly transactionMsMax: number;
  /** Asked before each try. */
  readonly wanted: () => boolean;
}

const ASK = "ask";

/**
 * True when the id has a new epoch and every marker of its last transaction is written: until then the coordinator answers
 * CONCURRENT_TRANSACTIONS. False when it is not wanted any more. Throws `LOG_FORBIDDEN`, `LOG_UNAVAILABLE`.
 */
export async function fenceWriter({ cluster, transactionalId, transactionMsMax: timeoutMs, wanted }: FenceOptions): Promise<boolean> {
  const refresh = async (): Promise<void> => cluster.forgetCoordinator("transaction", transactionalId);
  const { code, value } = await cluster.ask(
    `to fence ${transactionalId}`,
    async () => {
      if (!wanted()) return { code: NONE, value: false };
      const to = await cluster.coordinator("transaction", transactionalId, ASK, FENCE_MS_MAX);
      // Finding the coordinator may have taken its time.
      if (!wanted()) return { code: NONE, value: false };
      const { errorCode } = await cluster.wire.initProducer(to, { transactionalId, timeoutMs, present: undefined });
      return { code: errorCode, value: true };
    },
    { msMax: FENCE_MS_MAX, refresh },
  );
  await refresh();
  if (code === NONE) return value;
  const needs = `Write and Describe on the transactional id ${transactionalId}`;
  throw refusedError({ code, what: `to fence the transactional id ${transactionalId}`, needs, principal: cluster.principal });
}
