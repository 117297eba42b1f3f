/** The transactional producer and the writer against scripted answers: orders, unknown outcomes, and what each refusal means. */
import { describe, expect, test } from "vitest";
import { codeOf, utf8 } from "../../conformance/log-under-test.ts";
import { BlockCompression } from "../../record-batch/block-compression.ts";
import { Cluster } from "../client/cluster.ts";
import type { KafkaWire } from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { wasmCompressors } from "../client/wire.ts";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { scriptedWire } from "../testing/scripted-wire.ts";
import { TopicCatalog } from "../topic-catalog.ts";
import { KafkaWriter } from "./kafka-writer.ts";
import { OwnCommits } from "./own-commits.ts";

type Script = Partial<KafkaWire>;

const happy: Script = {
  topicConfigs: async (_to, names) => names.map((name) => ({ name, errorCode: 0, values: new Map(), ownNames: new Set() })),
  initProducer: async () => ({ errorCode: 0, producerId: 7n, producerEpoch: 3 }),
  addPartitions: async (_to, _transaction, partitions) => partitions.map((each) => ({ ...each, errorCode: 0 })),
  addOffsets: async () => ({ errorCode: 0 }),
  commitOffsets: async (_to, { offsets }) => offsets.map((each) => ({ ...each, errorCode: 0 })),
  produce: async (_to, { partitions }) =>
    partitions.map(({ topic, partition }) => ({ topic, partition, errorCode: 0, baseOffset: 5, message: null })),
  endTransaction: async () => ({ errorCode: 0, next: undefined }),
};

async function writerOn(script: Script, transactionVersion: 1 | 2 = 2) {
  const { wire, calls } = scriptedWire({ ...happy, ...script }, transactionVersion);
  const surroundings = hurriedSurroundings();
  const cluster = new Cluster({ wire, surroundings, bootstrap: [{ host: "broker", port: 9092 }] });
  const catalog = new TopicCatalog(cluster);
  await cluster.open();
  await catalog.load();
  const ownCommits = new OwnCommits();
  const writer = new KafkaWriter(
    { group: "group", transactionalId: "id" },
    {
      cluster,
      catalog,
      ownCommits,
      compression: new BlockCompression(wasmCompressors, 1000),
      kind: "none",
      transactionMsMax: 1000,
      lane: 0,
      closed: () => {},
    },
  );
  await writer.initialize();
  calls.length = 0;
  return { writer, calls, surroundings, ownCommits, catalog };
}

const offsets = [{ topic: "out", partition: 1, offset: 4, metadata: "m" }];
const lost = new WireError("no-answer", "lost", undefined);
const unreachable = new WireError("unreachable", "down", undefined);

/** Answers each call by the next of the list, the last one for ever. */
function inTurn<A extends readonly object[]>(...answers: A): () => Promise<Exclude<A[number], Error>> {
  let turn = 0;
  return async () => {
    const answer = answers[Math.min(turn++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    // What is left when errors are out.
    return answer as Exclude<A[number], Error>;
  };
}

describe("order", () => {
  test("version 1: partitions are acknowledged before the first record is sent, however often the last transaction is in the way", async () => {
    const busy = [{ topic: "out", partition: 0, errorCode: 51 }];
    const { writer, calls } = await writerOn({ addPartitions: inTurn(busy, busy, [{ topic: "out", partition: 0, errorCode: 0 }]) }, 1);
    writer.append("out", 0, 1, null, utf8("v"));
    await writer.commit({ offsets, rows: [] });
    expect(calls.slice(0, 3)).toEqual(["addPartitions", "addPartitions", "addPartitions"]);
    expect(calls.slice(3).toSorted()).toEqual(["addOffsets", "commitOffsets", "endTransaction", "produce"]);
    expect(calls.indexOf("addOffsets")).toBeLessThan(calls.indexOf("commitOffsets"));
    expect(calls.at(-1)).toBe("endTransaction");
  });

  test("version 2: nothing is announced, and the identity that the end gives is the next one's, from sequence 0", async () => {
    const sent: { readonly id: bigint; readonly epoch: number; readonly sequence: number; readonly version: number }[] = [];
    const { writer, calls } = await writerOn({
      produce: async (_to, { partitions, version }) =>
        partitions.map(({ topic, partition, batch }) => {
          sent.push({ id: batch.readBigInt64BE(43), epoch: batch.readInt16BE(51), sequence: batch.readInt32BE(53), version });
          return { topic, partition, errorCode: 0, baseOffset: 5, message: null };
        }),
      endTransaction: inTurn({ errorCode: 0, next: { producerId: 8n, producerEpoch: 0 } }),
    });
    for (let commit = 0; commit < 2; commit++) {
      writer.append("out", 0, 1, null, utf8("v"));
      await writer.commit({ offsets: [], rows: [] });
    }
    expect(calls).toEqual(["produce", "endTransaction", "produce", "endTransaction"]);
    expect(sent).toEqual([
      { id: 7n, epoch: 3, sequence: 0, version: 2 },
      { id: 8n, epoch: 0, sequence: 0, version: 2 },
    ]);
  });

  test("version 1 keeps the epoch, and sequences go on", async () => {
    const sequences: number[] = [];
    const produce: KafkaWire["produce"] = async (_to, { partitions }) =>
      partitions.map(({ topic, partition, batch }) => {
        sequences.push(batch.readInt32BE(53));
        return { topic, partition, errorCode: 0, baseOffset: 5, message: null };
      });
    const { writer } = await writerOn({ produce }, 1);
    for (let commit = 0; commit < 3; commit++) {
      for (let record = 0; record < 4; record++) writer.append("out", 0, 1, null, utf8("v"));
      await writer.commit({ offsets: [], rows: [] });
    }
    expect(sequences).toEqual([0, 4, 8]);
  });

  test("nothing of the next commit is sent before this one is acknowledged", async () => {
    const gate = Promise.withResolvers<{ errorCode: number; next: undefined }>();
    const { writer, calls } = await writerOn({ endTransaction: () => gate.promise });
    writer.append("out", 0, 1, null, utf8("first"));
    const first = writer.commit({ offsets: [], rows: [] });
    writer.append("out", 0, 1, null, utf8("second"));
    await expect(writer.commit({ offsets: [], rows: [] })).rejects.toThrow(/at most one commit/);
    await new Promise(setImmediate);
    expect(calls).toEqual(["produce", "endTransaction"]);
    expect(writer.bufferedBytes).toBeGreaterThan(0);
    gate.resolve({ errorCode: 0, next: undefined });
    await first;
    await writer.commit({ offsets: [], rows: [] });
    expect(calls).toEqual(["produce", "endTransaction", "produce", "endTransaction"]);
  });

  test("the end is not sent before both the records and the offsets are acknowledged, nor an abort while one is on its way", async () => {
    const gate = Promise.withResolvers<void>();
    const { writer, calls } = await writerOn({
      produce: async (_to, { partitions }) => {
        await gate.promise;
        return partitions.map(({ topic, partition }) => ({ topic, partition, errorCode: 0, baseOffset: 5, message: null }));
      },
      commitOffsets: inTurn([{ topic: "out", partition: 1, errorCode: 22 }]),
    });
    writer.append("out", 0, 1, null, utf8("v"));
    const done = codeOf(() => writer.commit({ offsets, rows: [] }));
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    expect(calls.toSorted()).toEqual(["commitOffsets", "produce"]);
    gate.resolve();
    expect(await done).toBe("LOG_UNAVAILABLE");
    expect(calls.at(-1)).toBe("endTransaction");
  });

  test("a commit of nothing asks nobody", async () => {
    const { writer, calls } = await writerOn({});
    await writer.commit({ offsets: [], rows: [] });
    expect(calls).toEqual([]);
  });
});

async function commitCode(script: Script, version: 1 | 2 = 2): Promise<{ readonly code: string; readonly calls: string[] }> {
  const { writer, calls } = await writerOn(script, version);
  writer.append("out", 0, 1, null, utf8("v"));
  const code = await codeOf(() => writer.commit({ offsets, rows: [] }));
  if (code !== "none") {
    expect(await codeOf(() => writer.append("out", 0, 1, null, null))).toBe("LOG_UNAVAILABLE");
    expect(await codeOf(() => writer.commit({ offsets: [], rows: [] }))).toBe("LOG_UNAVAILABLE");
  }
  return { code, calls };
}

describe("outcome", () => {
  test("a lost answer to the end is unknown, and nothing more is sent", async () => {
    const { code, calls } = await commitCode({ endTransaction: inTurn(lost) });
    expect(code).toBe("COMMIT_UNKNOWN");
    expect(calls.filter((call) => call === "endTransaction")).toHaveLength(1);
  });

  test("an end that was never sent is sent again, and an end that finds no coordinator in time is unknown", async () => {
    expect(
      (
        await commitCode({
          endTransaction: inTurn(
            unreachable,
            { errorCode: 16, next: undefined },
            { errorCode: 51, next: undefined },
            { errorCode: 0, next: undefined },
          ),
        })
      ).code,
    ).toBe("none");
    expect((await commitCode({ endTransaction: inTurn({ errorCode: 15, next: undefined }) })).code).toBe("COMMIT_UNKNOWN");
  });

  test("lost answers before the end are repaired by sending the same again", async () => {
    const stored = [{ topic: "out", partition: 0, errorCode: 0, baseOffset: 5, message: null }];
    const { code, calls } = await commitCode({
      produce: inTurn(lost, stored),
      commitOffsets: inTurn(lost, [{ topic: "out", partition: 1, errorCode: 0 }]),
    });
    expect(code).toBe("none");
    expect(calls.filter((call) => call === "produce")).toHaveLength(2);
  });

  test("records that never find their leader fail the commit, which nobody then ends", async () => {
    const { code, calls } = await commitCode({ produce: inTurn(lost) });
    expect(code).toBe("LOG_UNAVAILABLE");
    expect(calls).not.toContain("endTransaction");
  });

  test("no step is tried longer than the transaction may live, also while nobody coordinates", async () => {
    let gone = false;
    const { writer, surroundings } = await writerOn({
      coordinator: async () => ({ errorCode: gone ? 15 : 0, host: "broker", port: 9092 }),
      commitOffsets: inTurn([{ topic: "out", partition: 1, errorCode: 16 }]),
    });
    gone = true;
    writer.append("out", 0, 1, null, utf8("v"));
    const before = surroundings.now();
    expect(await codeOf(() => writer.commit({ offsets, rows: [] }))).toBe("LOG_UNAVAILABLE");
    expect(surroundings.now() - before).toBeLessThanOrEqual(2000);
  });

  test("what was stored by an earlier try is done", async () => {
    expect(
      (await commitCode({ produce: inTurn([{ topic: "out", partition: 0, errorCode: 46, baseOffset: -1, message: null }]) })).code,
    ).toBe("none");
  });

  test.each([
    [10, "COMMIT_REFUSED"],
    [32, "COMMIT_REFUSED"],
    [87, "COMMIT_REFUSED"],
    [45, "LOG_UNAVAILABLE"],
    [29, "LOG_FORBIDDEN"],
    [53, "LOG_FORBIDDEN"],
    [9999, "LOG_UNAVAILABLE"],
  ])("records refused with %i: %s, and the transaction is aborted", async (errorCode, expected) => {
    const { code, calls } = await commitCode({
      produce: inTurn([{ topic: "out", partition: 0, errorCode, baseOffset: -1, message: null }]),
    });
    expect(code).toBe(expected);
    expect(calls.filter((call) => call !== "topicConfigs").at(-1)).toBe("endTransaction");
  });

  test("who lacks a right is told which: principal, operation and resource", async () => {
    const { writer } = await writerOn({
      produce: inTurn([{ topic: "out", partition: 0, errorCode: 29, baseOffset: -1, message: null }]),
    });
    writer.append("out", 0, 1, null, utf8("v"));
    await expect(writer.commit({ offsets, rows: [] })).rejects.toThrow(
      /TOPIC_AUTHORIZATION_FAILED \(29\).*Grant User:ANONYMOUS Write on the topic out\./,
    );
    const other = await writerOn({ commitOffsets: inTurn([{ topic: "out", partition: 1, errorCode: 30 }]) });
    await expect(other.writer.commit({ offsets, rows: [] })).rejects.toThrow(/Grant User:ANONYMOUS Read on the group group/);
    const third = await writerOn({ endTransaction: inTurn({ errorCode: 53, next: undefined }) });
    await expect(third.writer.commit({ offsets, rows: [] })).rejects.toThrow(/Write and Describe on the transactional id id/);
  });

  test("after a batch that was too large the limits are asked for anew: the next writer refuses such a record at once", async () => {
    let bytesMax = 1_000_000;
    const { writer, catalog } = await writerOn({
      topicConfigs: async (_to, names) =>
        names.map((name) => ({ name, errorCode: 0, values: new Map([["max.message.bytes", `${bytesMax}`]]), ownNames: new Set<string>() })),
      produce: inTurn([{ topic: "out", partition: 0, errorCode: 10, baseOffset: -1, message: null }]),
    });
    writer.append("out", 0, 1, null, Buffer.alloc(5_000));
    bytesMax = 1_000;
    expect(await codeOf(() => writer.commit({ offsets, rows: [] }))).toBe("COMMIT_REFUSED");
    expect(catalog.output("out", 0).recordBytesMax).toBeLessThan(1_000);
  });

  test.each([22, 25, 27])("offsets refused with %i, since the group has gone on: lost, not fenced", async (errorCode) => {
    expect((await commitCode({ commitOffsets: inTurn([{ topic: "out", partition: 1, errorCode }]) })).code).toBe("LOG_UNAVAILABLE");
  });

  test.each([47, 90])(
    "an epoch refused with %i is fenced when a newer one has come, and lost when the coordinator gave the transaction up",
    async (errorCode) => {
      const identity = { errorCode: 0, producerId: 7n, producerEpoch: 3 };
      const end = inTurn({ errorCode, next: undefined });
      expect((await commitCode({ endTransaction: end, initProducer: inTurn(identity, { ...identity, errorCode: 90 }) })).code).toBe(
        "WRITER_FENCED",
      );
      expect((await commitCode({ endTransaction: end, initProducer: inTurn(identity, { ...identity, producerEpoch: 5 }) })).code).toBe(
        "LOG_UNAVAILABLE",
      );
    },
  );

  test("a partition that an answer leaves out was not stored: it is sent again", async () => {
    const stored = [{ topic: "out", partition: 0, errorCode: 0, baseOffset: 5, message: null }];
    const { writer, calls, ownCommits } = await writerOn({ produce: inTurn([], stored) });
    writer.append("out", 0, 1, null, utf8("v"));
    await writer.commit({ offsets: [], rows: [] });
    expect(calls.filter((call) => call === "produce")).toHaveLength(2);
    expect(ownCommits.writtenUpTo({ topic: "out", partition: 0 })).toBe(6);
  });
});
