/**
 * Calls from any thread to the disk thread that wait for their answer, through memory that all of them share. LevelDB's
 * binding answers asynchronously, and a thread that must not wait asynchronously cannot be answered in any other way.
 *
 * Each client has a mailbox: a word that says whose turn it is, and a body through which requests and answers go in chunks.
 * A bell wakes the disk thread. A client that dies leaves its mailbox behind; the next one there counts the epoch up, and
 * the disk thread forgets what it kept for the dead one.
 *
 * What is handed over takes a ticket, and the lowest ticket is served first, over all mailboxes. So a write that a dead thread
 * left behind is done before anything that was asked for after that death: whoever takes over the dead one's lock reads what
 * it wrote.
 */
import { deserialize, serialize } from "node:v8";

const BODY_BYTES = 128 * 1024;
const HEADER_WORDS = 5;
const TURN = 0;
const EPOCH = 1;
const LENGTH = 2;
const LAST = 3;
const TICKET = 4;
const CLIENT = 0;
const SERVER = 1;

const BELL_WORDS = 3;
const BELL = 0;
const DEAD = 1;
const TICKETS = 2;

const MAILBOX_BYTES = HEADER_WORDS * 4 + BODY_BYTES;

/** Memory for so many mailboxes. */
export function mailboxMemory(mailboxes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(BELL_WORDS * 4 + mailboxes * MAILBOX_BYTES);
}

/** The disk thread is gone or did not answer within the limit. */
export class NoAnswerError extends Error {}

class Mailbox {
  readonly header: Int32Array;
  readonly body: Uint8Array;

  constructor(memory: SharedArrayBuffer, index: number) {
    const start = BELL_WORDS * 4 + index * MAILBOX_BYTES;
    this.header = new Int32Array(memory, start, HEADER_WORDS);
    this.body = new Uint8Array(memory, start + HEADER_WORDS * 4, BODY_BYTES);
  }

  write(bytes: Uint8Array, offset: number): number {
    const chunk = bytes.subarray(offset, offset + BODY_BYTES);
    const end = offset + chunk.length;
    this.body.set(chunk);
    this.header[LENGTH] = chunk.length;
    this.header[LAST] = end >= bytes.length ? 1 : 0;
    return end;
  }

  read(): Buffer {
    return Buffer.from(this.body.subarray(0, this.header[LENGTH]));
  }

  get last(): boolean {
    return this.header[LAST] === 1;
  }
}

/** A client's end. */
export class MailboxClient {
  readonly #bell: Int32Array;
  readonly #mailbox: Mailbox;
  readonly #waitMsMax: number;
  /** It was given up in the middle of a conversation: whatever would come next is the answer to something else. */
  #broken = false;

  constructor(memory: SharedArrayBuffer, index: number, waitMsMax: number) {
    this.#bell = new Int32Array(memory, 0, BELL_WORDS);
    this.#mailbox = new Mailbox(memory, index);
    this.#waitMsMax = waitMsMax;
    this.#waitForTurn();
    Atomics.add(this.#mailbox.header, EPOCH, 1);
  }

  /** Throws NoAnswerError, from the first time on for ever. */
  call(request: unknown): unknown {
    if (this.#broken) throw new NoAnswerError("The disk thread did not answer before. Attach again.");
    const mailbox = this.#mailbox;
    const bytes = serialize(request);
    for (let offset = 0; offset < bytes.length;) {
      offset = mailbox.write(bytes, offset);
      this.#pass();
    }
    const parts = [mailbox.read()];
    while (!mailbox.last) {
      this.#pass();
      parts.push(mailbox.read());
    }
    return deserialize(Buffer.concat(parts));
  }

  #pass(): void {
    Atomics.store(this.#mailbox.header, TICKET, Atomics.add(this.#bell, TICKETS, 1));
    Atomics.store(this.#mailbox.header, TURN, SERVER);
    Atomics.add(this.#bell, BELL, 1);
    Atomics.notify(this.#bell, BELL);
    this.#broken = true;
    this.#waitForTurn();
    this.#broken = false;
  }

  #waitForTurn(): void {
    const deadline = performance.now() + this.#waitMsMax;
    while (Atomics.load(this.#mailbox.header, TURN) === SERVER) {
      if (Atomics.load(this.#bell, DEAD) === 1) throw new NoAnswerError("The disk thread has ended.");
      if (performance.now() > deadline) throw new NoAnswerError(`The disk thread did not answer within ${this.#waitMsMax} ms.`);
      Atomics.wait(this.#mailbox.header, TURN, SERVER, 100);
    }
  }
}

interface Conversation {
  readonly mailbox: Mailbox;
  epoch: number;
  request: Buffer[];
  answer: Uint8Array | undefined;
  sent: number;
}

export interface MailboxHandler {
  answer(client: number, request: unknown): Promise<unknown>;
  /** Another client took the mailbox: whatever is kept for the one before goes. */
  forget(client: number): Promise<void>;
  /** Whether to go on listening. */
  readonly open: boolean;
}

const IDLE_WAIT_MS = 1_000;

/** The disk thread's end: answers all mailboxes, one request at a time, until the handler is no longer open. */
export async function serveMailboxes(memory: SharedArrayBuffer, mailboxes: number, handler: MailboxHandler): Promise<void> {
  const bell = new Int32Array(memory, 0, BELL_WORDS);
  const conversations: Conversation[] = [];
  for (let index = 0; index < mailboxes; index++)
    conversations.push({ mailbox: new Mailbox(memory, index), epoch: 0, request: [], answer: undefined, sent: 0 });
  try {
    while (handler.open) {
      const rung = Atomics.load(bell, BELL);
      const index = nextServed(conversations);
      const conversation = conversations[index];
      if (conversation === undefined) {
        Atomics.wait(bell, BELL, rung, IDLE_WAIT_MS);
        continue;
      }
      await converse(index, conversation, handler);
      Atomics.store(conversation.mailbox.header, TURN, CLIENT);
      Atomics.notify(conversation.mailbox.header, TURN);
    }
  } finally {
    Atomics.store(bell, DEAD, 1);
  }
}

/**
 * Index of the mailbox that waits with the lowest ticket, −1 where none waits. It looks twice: one that was handed over before
 * the one found may have been passed by the first look while it was still empty.
 */
function nextServed(conversations: readonly Conversation[]): number {
  const found = lowestTicket(conversations);
  return found < 0 ? found : lowestTicket(conversations);
}

function lowestTicket(conversations: readonly Conversation[]): number {
  let lowest = -1;
  let lowestTicketSeen = 0;
  for (let index = 0; index < conversations.length; index++) {
    const { header } = (conversations[index] as Conversation).mailbox; // in bounds
    if (Atomics.load(header, TURN) !== SERVER) continue;
    const ticket = Atomics.load(header, TICKET);
    // Tickets begin anew after 2^32: the difference tells which is older.
    if (lowest >= 0 && ((ticket - lowestTicketSeen) | 0) > 0) continue;
    lowest = index;
    lowestTicketSeen = ticket;
  }
  return lowest;
}

/** One chunk in or one chunk out. */
async function converse(index: number, conversation: Conversation, handler: MailboxHandler): Promise<void> {
  const { mailbox } = conversation;
  const epoch = Atomics.load(mailbox.header, EPOCH);
  if (epoch !== conversation.epoch) {
    conversation.epoch = epoch;
    conversation.request = [];
    conversation.answer = undefined;
    await handler.forget(index);
  }
  if (conversation.answer === undefined) {
    conversation.request.push(mailbox.read());
    if (!mailbox.last) return;
    const request: unknown = deserialize(Buffer.concat(conversation.request));
    conversation.request = [];
    conversation.answer = serialize(await handler.answer(index, request));
    conversation.sent = 0;
  }
  conversation.sent = mailbox.write(conversation.answer, conversation.sent);
  if (mailbox.last) conversation.answer = undefined;
}
