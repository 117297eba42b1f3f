/** Applications whose threads are members of a group, on a log in memory that has groups. */
import { afterEach, describe, expect, test } from "vitest";
import { keyValueStore, numberSerde, stringKey, stringSerde } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { countByKey } from "../testing/count-by-key.ts";
import { topic } from "../topic.ts";
import { Application, type ApplicationOptions } from "./application.ts";
import { benchOf, consume, produce, type Bench } from "./fixtures/counting.ts";
import { keptInstanceId } from "./instance-id.ts";

const words = topic({ name: "words", key: stringKey, value: stringSerde, partitions: 4, onFailure: "stop" });
const counts = topic({ name: "counts", key: stringKey, value: numberSerde, partitions: 4 });
const countStore = keyValueStore({ name: "count", key: stringKey, value: numberSerde });

let poisonous = true;

function countingTopology(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(words)
    .process(
      countByKey(countStore, {
        before({ value }) {
          if (value === "poison" && poisonous) throw new Error("cannot count that");
        },
      }),
    )
    .to(counts);
  return builder.build();
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 1_000) throw new Error("it never came true");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const open: Application[] = [];
afterEach(async () => {
  for (const application of open.splice(0)) if (application.state === "running") await application.stop();
  poisonous = true;
});

/** Whoever takes the task over does not fail of it. */
function sparesTheNext(): "stop-application" {
  poisonous = false;
  return "stop-application";
}

async function start(bench: Bench, instanceId: string, options: Partial<ApplicationOptions> = {}): Promise<Application> {
  const application = new Application({ ...bench, applicationId: "app", instanceId, group: {}, ...options });
  open.push(application);
  await application.start();
  return application;
}

async function countedOnce(bench: Bench, times: number): Promise<boolean> {
  const records = await consume(bench.log, counts);
  if (records.length < 8 * times) return false;
  for (let index = 0; index < 8; index++) {
    const seen = records.filter(({ key }) => key === `w${index}`).map(({ value }) => value);
    expect(seen).toEqual(Array.from({ length: times }, (_, at) => at + 1));
  }
  return true;
}

function write(bench: Bench): Promise<void> {
  return produce(
    bench.log,
    words,
    Array.from({ length: 8 }, (_, index) => [`w${index}`, "x"] as const),
  );
}

describe("an application in a group", () => {
  test("threads are added and removed while it runs, and every task has one of them", async () => {
    const bench = await benchOf(countingTopology());
    const application = await start(bench, "a");
    await eventually(() => application.status.running.length === 4);
    await write(bench);
    expect(await application.addThread()).toBe(1);
    expect(await application.addThread()).toBe(2);
    await eventually(async () => (await application.metrics()).every(({ lag }) => lag.length > 0 && lag.length < 3));
    await write(bench);
    expect(await application.removeThread()).toBe(2);
    await eventually(() => application.status.running.length === 4);
    await write(bench);
    await eventually(() => countedOnce(bench, 3));
    expect(application.status.restoring).toEqual([]);
  });

  test("two instances share the tasks, say who has what, and one takes over when the other stops", async () => {
    const bench = await benchOf(countingTopology());
    const a = await start(bench, "a", { group: { endpoint: { host: "a.internal", port: 7400 } } });
    const b = await start(bench, "b", { group: { endpoint: { host: "b.internal", port: 7400 } } });
    await eventually(() => a.status.running.length === 2 && b.status.running.length === 2);
    expect(a.status.owners.instances.map(({ endpoint }) => endpoint?.host)).toEqual(["a.internal", "b.internal"]);
    await write(bench);
    await b.stop();
    await eventually(() => a.status.running.length === 4);
    await write(bench);
    await eventually(() => countedOnce(bench, 2));
  });

  test("paused, it takes nothing and keeps its tasks; resumed, it goes on", async () => {
    const bench = await benchOf(countingTopology());
    const application = await start(bench, "a", { threads: 2 });
    await eventually(() => application.status.running.length === 4);
    application.pause();
    await write(bench);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await consume(bench.log, counts)).toEqual([]);
    expect(application.status.running).toHaveLength(4);
    application.resume();
    await eventually(() => countedOnce(bench, 1));
  });

  test("a thread that failed is replaced, stops its instance, or stops all of them: as the handler says", async () => {
    const bench = await benchOf(countingTopology());
    const a = await start(bench, "a", {
      onThreadFailure: () => {
        poisonous = false;
        return "replace";
      },
    });
    await produce(bench.log, words, [["w0", "poison"]]);
    await eventually(async () => (await consume(bench.log, counts)).length === 1);
    expect(a.state).toBe("running");
    await a.stop();

    poisonous = true;
    const b = await start(bench, "b");
    const c = await start(bench, "c");
    await eventually(() => b.status.running.length === 2 && c.status.running.length === 2);
    await produce(bench.log, words, [["w0", "poison"]]);
    await Promise.race([b.ended, c.ended]);
    const [failed, other] = b.state === "failed" ? [b, c] : [c, b];
    expect(failed.error).toMatchObject({ code: "TASK_FAILED" });
    expect(other.state).toBe("running");
    poisonous = false;
    await eventually(() => other.status.running.length === 4);
    await other.stop().catch(() => {});
  });

  test("one failed instance tells all others to stop", async () => {
    const bench = await benchOf(countingTopology());
    const applications = await Promise.all(["a", "b", "c"].map((id) => start(bench, id, { onThreadFailure: sparesTheNext })));
    await eventually(() => applications.reduce((sum, { status }) => sum + status.running.length, 0) === 4);
    await produce(bench.log, words, [["w0", "poison"]]);
    await Promise.all(applications.map(({ ended }) => ended));
    expect(applications.map(({ state }) => state)).toEqual(["failed", "failed", "failed"]);
    const codes = applications.map(({ error }) => (error !== undefined && "code" in error ? error.code : undefined));
    expect(codes.filter((code) => code === "STOPPED_BY_MEMBER")).toHaveLength(2);
    expect(codes).toContain("TASK_FAILED");
  });

  test("an instance keeps its name with its state", async () => {
    const bench = await benchOf(countingTopology());
    const id = keptInstanceId(bench.disk);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(keptInstanceId(bench.disk)).toBe(id);
  });
});
