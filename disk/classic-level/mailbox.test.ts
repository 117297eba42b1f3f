import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MailboxClient, mailboxMemory, NoAnswerError } from "./mailbox.ts";

const ANSWER_MS_MAX = 10_000;
/** Several chunks. */
const large = Buffer.alloc(500_000, "0123456789");
let memory: SharedArrayBuffer;
let thread: Worker;

beforeEach(() => {
  memory = mailboxMemory(3);
  thread = new Worker(new URL("../fixtures/echo-thread.ts", import.meta.url), { workerData: { memory, mailboxes: 3 } });
});
afterEach(async () => {
  await thread.terminate();
});

test("requests and answers of any size pass, of several clients", () => {
  const clients = [0, 1, 2].map((index) => new MailboxClient(memory, index, ANSWER_MS_MAX));
  for (let round = 0; round < 3; round++)
    for (const [index, client] of clients.entries()) {
      expect(client.call({ round, none: undefined })).toMatchObject({ client: index, request: { round } });
      expect((client.call({ large }) as { request: { large: Buffer } }).request.large.equals(large)).toBe(true);
    }
});

test("a client that died in the middle of its request leaves nothing to the next one", () => {
  const dying = new MailboxClient(memory, 1, 0);
  expect(() => dying.call({ large })).toThrow(NoAnswerError);
  const next = new MailboxClient(memory, 1, ANSWER_MS_MAX);
  expect(next.call("hello")).toEqual({ client: 1, request: "hello", taken: 2 });
  const other = new MailboxClient(memory, 2, ANSWER_MS_MAX);
  expect(other.call("hello")).toEqual({ client: 2, request: "hello", taken: 3 });
  expect(next.call("again")).toEqual({ client: 1, request: "again", taken: 3 });
});

test("what a dead client left behind is done before anything that is asked for after its death, whatever its mailbox", () => {
  // Only the first to come is being served while the others wait, and the lowest mailbox asks last.
  expect(() => new MailboxClient(memory, 2, 0).call({ sleepMs: 200 })).toThrow(NoAnswerError);
  expect(() => new MailboxClient(memory, 1, 0).call("written by the dead")).toThrow(NoAnswerError);
  expect(new MailboxClient(memory, 0, ANSWER_MS_MAX).call("said")).toEqual(["written by the dead"]);
});

test("a client that was not answered in time is not given a late answer to something else", () => {
  const impatient = new MailboxClient(memory, 1, 20);
  expect(() => impatient.call({ sleepMs: 200 })).toThrow(NoAnswerError);
  new MailboxClient(memory, 0, ANSWER_MS_MAX).call("by now it is answered");
  expect(() => impatient.call("hello")).toThrow(NoAnswerError);
});

test("a thread that has ended is said to have", async () => {
  const client = new MailboxClient(memory, 0, ANSWER_MS_MAX);
  const exited = once(thread, "exit");
  expect(client.call("end")).toMatchObject({ request: "end" });
  await exited;
  expect(() => client.call("hello")).toThrow("The disk thread has ended.");
});
