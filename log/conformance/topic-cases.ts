import { expect, test } from "vitest";
import type { LogUnderTest } from "./log-under-test.ts";
import { codeOf, fresh, topicOf } from "./log-under-test.ts";

/** Topics. */
export function topicCases(under: () => LogUnderTest): void {
  test("a topic is created once, described and listed", async () => {
    const { log } = under();
    const name = fresh("topic");
    expect(await log.topics.describe(name)).toBeUndefined();
    const config = {
      name,
      partitions: 3,
      cleanup: "delete",
      retentionMs: 60_000,
      retentionBytes: 1_000_000,
      recordBytesMax: 5000,
    } as const;
    await log.topics.ensure([config]);
    await log.topics.ensure([config]);
    expect(await log.topics.describe(name)).toEqual(config);
    expect((await log.topics.list()).filter((each) => each.name === name)).toEqual([config]);
  });

  test("a topic that is there with other partitions or cleanup is refused, and nothing of the same call is created", async () => {
    const { log } = under();
    const name = await topicOf(log, 3);
    const other = fresh("topic");
    const wanted = [
      { name: other, partitions: 1, cleanup: "delete" },
      { name, partitions: 4, cleanup: "delete" },
    ] as const;
    expect(await codeOf(() => log.topics.ensure(wanted))).toBe("TOPIC_MISMATCH");
    await expect(log.topics.ensure(wanted)).rejects.toThrow(/3 .*4/);
    expect(await codeOf(() => log.topics.ensure([{ name, partitions: 3, cleanup: "compact" }]))).toBe("TOPIC_MISMATCH");
    expect(await log.topics.describe(other)).toBeUndefined();
    expect(await log.topics.describe(name)).toMatchObject({ partitions: 3, cleanup: "delete" });
  });

  test("records of a topic that is not there cannot be deleted", async () => {
    const { log } = under();
    expect(await codeOf(() => log.topics.deleteRecords({ topic: fresh("nowhere"), partition: 0 }, 1))).toBe("UNKNOWN_TOPIC");
  });
}
