/** The marker that a transaction coordinator writes into every partition of a transaction. */
import { ATTRIBUTES_AT, CONTROL_BIT, CRC_AT } from "../../record-batch/batch-layout.ts";
import { crc32c } from "../../record-batch/crc32c.ts";
import { RecordBatchBuilder } from "../../record-batch/record-batch-builder.ts";
import type { ProducerIdentity } from "../client/wire-contract.ts";

const ABORT = 0;
const COMMIT = 1;

export function controlBatch(producer: ProducerIdentity, commit: boolean, timestamp: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(commit ? COMMIT : ABORT, 2);
  const builder = new RecordBatchBuilder();
  builder.append(timestamp, key, Buffer.alloc(6));
  const [block] = builder.seal({ ...producer, baseSequence: -1, transactional: true });
  if (block === undefined) throw new Error("one record makes one block");
  const bytes = Buffer.from(block.bytes);
  bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | CONTROL_BIT, ATTRIBUTES_AT);
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT);
  return bytes;
}
