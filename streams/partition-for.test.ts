import { expect, test } from "vitest";
import { encodeKey, partitionFor } from "./partition-for.ts";
import { text, texts } from "./topology/fixtures/samples.ts";

test("places a key by murmur2 without its sign bit, as Kafka's clients do", () => {
  const topic = texts("topic", { partitions: 12 });
  const placed = (key: string): number => partitionFor(topic, key, encodeKey(topic.key, key));
  // −973932308 and −790332482 without their sign bits are 1173551340 and 1357151166.
  expect([placed("21"), placed("foobar"), placed("abc")]).toEqual([1_173_551_340 % 12, 1_357_151_166 % 12, 479_470_107 % 12]);
});

test("asks the topic's own partitioner with key, bytes and count, and refuses an answer outside the range", () => {
  const seen: unknown[] = [];
  const partition = (key: string, bytes: Uint8Array, partitions: number): number => {
    seen.push([key, Buffer.from(bytes).toString(), partitions]);
    return key.length;
  };
  const topic = texts("topic", { partitions: 3, partitioner: { name: "length", partition } });
  expect(partitionFor(topic, "ab", Buffer.from("AB"))).toBe(2);
  expect(partitionFor(topic, "abc", Buffer.from("ABC"), 4)).toBe(3);
  expect(seen).toEqual([
    ["ab", "AB", 3],
    ["abc", "ABC", 4],
  ]);
  expect(() => partitionFor(topic, "abc", Buffer.from("ABC"))).toThrow(
    expect.objectContaining({
      code: "PARTITION_INVALID",
      message: expect.stringContaining("partitioner length answered 3 for topic topic"),
    }),
  );
});

test("a key longer than the first guess is encoded whole", () => {
  const long = "k".repeat(10_000);
  expect(encodeKey(text(), long).toString()).toBe(long);
});
