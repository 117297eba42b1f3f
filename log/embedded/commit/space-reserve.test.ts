import { memoryDisk } from "#disk";
import { expect, test } from "vitest";
import { openEmbeddedLog } from "../embedded-log.ts";

const MIB = 1024 * 1024;
const at = { topic: "t", partition: 0 };

test("commits leave the reserve alone, bookkeeping does not wait, and once there is room everything goes on", async () => {
  let free = 20 * MIB;
  const disk = Object.assign(memoryDisk(), { freeBytes: () => free });
  const log = await openEmbeddedLog({ disk, reserveBytes: 10 * MIB });
  await log.topics.ensure([{ name: "t", partitions: 1, cleanup: "delete" }]);
  const writer = log.writer({ group: "g", transactionalId: "one" });
  await writer.initialize();
  const commit = async (offset: number): Promise<unknown> => {
    writer.append("t", 0, 0, null, Buffer.alloc(600 * 1024));
    return writer.commit({ offsets: [{ ...at, offset, metadata: "" }], rows: [] });
  };
  await commit(1);
  free = 9 * MIB;
  // Looked at once a MiB.
  await commit(2);
  await expect(commit(3)).rejects.toMatchObject({
    code: "LOG_UNAVAILABLE",
    message: expect.stringContaining("9 MiB are left"),
    cause: { code: "DISK_FULL" },
  });
  expect(await log.offsets.committed("g", [at])).toEqual([{ offset: 2, metadata: "" }]);
  const producer = log.producer();
  producer.append("t", 0, 0, null, Buffer.from("x"));
  await expect(producer.flush()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  await log.topics.ensure([{ name: "another", partitions: 1, cleanup: "delete" }]);
  free = 10 * MIB;
  const next = log.writer({ group: "g", transactionalId: "one" });
  await next.initialize();
  next.append("t", 0, 0, null, Buffer.from("y"));
  await next.commit({ offsets: [{ ...at, offset: 3, metadata: "" }], rows: [] });
  expect(await log.offsets.bound(at, "stable")).toBe(3);
});
