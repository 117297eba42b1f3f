/** Followers that do not read, too many of them, heartbeats, and the ring's bound. */
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog } from "#log";
import { createSerdes, memoryRegistry, type JobTracked } from "#schemas";
import { encodeKey } from "#streams";
import { dispatchTopics } from "#topologies";
import { EventRing, type LiveEvent } from "./event-ring.ts";
import { FOLLOWER_BYTES_MAX, SseFollower, type EventOutput } from "./sse-follower.ts";
import { TrackingHub, type CurrentTrip } from "./tracking-hub.ts";

/** A client: `reads` false keeps everything in its buffer. */
class Client {
  reads = true;
  text = "";
  #held = 0;
  destroyed = false;
  ended = false;
  readonly output = this.#output();

  #output(): EventOutput {
    const client = this as Client;
    const output = {
      write(chunk: Buffer | string) {
        client.text += chunk.toString();
        if (!client.reads) client.#held += chunk.length;
        return client.reads;
      },
      get writableLength() {
        return client.#held;
      },
      destroy() {
        client.destroyed = true;
      },
      end() {
        client.ended = true;
      },
    };
    return output as unknown as EventOutput;
  }

  get ids(): readonly string[] {
    return [...this.text.matchAll(/^id: (.*)$/gm)].map(([, id = ""]) => id);
  }
}

async function openHub(options: Partial<Parameters<typeof TrackingHub.start>[0]> = {}) {
  const log = await openEmbeddedLog({ disk: memoryDisk() });
  const topics = dispatchTopics(createSerdes(memoryRegistry()), { partitions: 1 });
  await log.topics.ensure(
    [topics.trips, topics.tracking].map(({ name, partitions }) => ({ name, partitions, cleanup: "delete" as const })),
  );
  const trip: CurrentTrip = { state: "assigned", attempt: 1, jobVersion: 2, driverId: "d1" };
  const snapshots = { trip: () => trip, ofJob: (jobId: string) => ({ jobId }), ofCell: (cell: string) => ({ cell }) };
  const failures: unknown[] = [];
  const hub = await TrackingHub.start({ log, topics, snapshots, epoch: "e", onFailure: (error) => failures.push(error), ...options });
  const producer = log.producer();
  const scratch = Buffer.alloc(1_024);
  /** Waits until the hub has seen it. */
  const track = async (change: Partial<JobTracked> = {}): Promise<void> => {
    const base = { type: "JobTracked", jobId: "o1", driverId: "d1", attempt: 1, position: { latitude: 47, longitude: 8 } } as const;
    const record: JobTracked = { ...base, pickupEta: 1, dropOffEta: 2, at: 3, ...change };
    const end = topics.tracking.value.encode(record, scratch, 0);
    producer.append(topics.tracking.name, 0, 1, encodeKey(topics.tracking.key, record.jobId), scratch.subarray(0, end));
    await producer.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return { hub, track, failures };
}

test("one that does not read is closed at its bound, and the others go on", async () => {
  const { hub, track, failures } = await openHub();
  await using _ = hub;
  const [reader, stuck] = [new Client(), new Client()];
  for (const client of [reader, stuck]) hub.followJob("o1", { output: client.output });
  stuck.reads = false;
  const frame = "x".repeat(FOLLOWER_BYTES_MAX - 100);
  stuck.output.write(frame);
  await track();
  expect([stuck.destroyed, reader.destroyed]).toEqual([true, false]);
  expect(reader.ids).toEqual(["e.p0.0"]);
  await track();
  expect(reader.ids).toEqual(["e.p0.0", "e.p0.1"]);
  expect(hub.counts()).toMatchObject({ slowClosed: 1, sent: 2 });
  expect(failures).toEqual([]);
});

test("a position of another driver or attempt than the trip's is not shown", async () => {
  const { hub, track } = await openHub();
  await using _ = hub;
  const client = new Client();
  hub.followJob("o1", { output: client.output });
  await track({ driverId: "d2" });
  await track({ attempt: 2 });
  await track();
  expect(client.ids).toEqual(["e.p0.2"]);
});

test("no more follow than may, and one who goes makes room", async () => {
  const { hub } = await openHub({ followersMax: 2 });
  await using _ = hub;
  const first = hub.followJob("o1", { output: new Client().output });
  hub.followCell("851f9bcffffffff", { output: new Client().output });
  const refused = new Client();
  expect(() => hub.followJob("o2", { output: refused.output })).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
  expect(refused.text).toBe("");
  hub.unfollow(first);
  hub.followJob("o2", { output: refused.output });
  expect(hub.counts().followers).toBe(2);
});

test("each follower hears a heartbeat in every period", async () => {
  const { hub } = await openHub({ heartbeatMs: 60 });
  await using _ = hub;
  const clients = Array.from({ length: 40 }, () => new Client());
  for (const client of clients) hub.followJob("o1", { output: client.output });
  await expect.poll(() => clients.every(({ text }) => text.includes(":\n\n")), { timeout: 5_000 }).toBe(true);
});

const event = (offset: number): LiveEvent => {
  const base = { kind: "position", jobId: "o", jobVersion: 1, point: undefined } as const;
  return { ...base, partition: 0, offset, frame: Buffer.alloc(0) };
};

test("the ring gives what came after an event, as long as it holds it", () => {
  const ring = new EventRing({ epoch: "e", eventsMax: 4 });
  expect([ring.head, ring.after("e.p0.0")]).toEqual([undefined, undefined]);
  for (let offset = 0; offset < 7; offset++) ring.push(event(offset));
  expect(ring.head).toBe("e.p0.6");
  expect(ring.after("e.p0.3")?.map(({ offset }) => offset)).toEqual([4, 5, 6]);
  expect(ring.after("e.p0.6")).toEqual([]);
  for (const lost of ["e.p0.2", "e.p0.7", "f.p0.3", "e.t0.3"]) expect(ring.after(lost)).toBeUndefined();
});

test("what a closed follower is sent goes nowhere", () => {
  const client = new Client();
  const follower = new SseFollower(client.output, () => {});
  follower.close();
  expect([follower.send("x"), client.ended, client.text]).toEqual([false, true, "retry: 3000\n\n"]);
});
