/** The disk thread: owns the LevelDB database and answers all clients, main thread and workers alike. Started by `level-disk.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { ClassicLevel } from "classic-level";
import type { Family, KeyRange } from "../disk.ts";
import { cutLogs, findLogCuts } from "../inspection/level-logs.ts";
import { findDamagedTable } from "../inspection/level-tables.ts";
import { findSequenceGap } from "../inspection/sequence-gap.ts";
import { innermostCause } from "../native-error.ts";
import type { LevelAnswer, LevelChunk, LevelRequest, LevelThreadData, LevelThreadMessage } from "./level-request.ts";
import { serveMailboxes, type MailboxHandler } from "./mailbox.ts";

const FIRST_CHUNK_ENTRIES = 16;
const CHUNK_ENTRIES_MAX = 1_024;
const DELETE_BATCH_KEYS = 1_000;

type Database = ClassicLevel<Buffer, Buffer>;

interface DatabaseIterator {
  nextv(size: number): Promise<[Buffer, Buffer][]>;
  close(): Promise<void>;
}

/** LevelDB has no families: a byte before the key. */
const familyByte: Readonly<Record<Family, number>> = { log: 0x6c, rows: 0x72 };

function rowKey(family: Family, key: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(key.length + 1);
  row[0] = familyByte[family];
  row.set(key, 1);
  return row;
}

function bounds(family: Family, range: KeyRange): { gte: Buffer; lt: Buffer; reverse: boolean; limit: number } {
  return {
    gte: rowKey(family, range.from ?? new Uint8Array(0)),
    lt: range.to === undefined ? Buffer.from([familyByte[family] + 1]) : rowKey(family, range.to),
    reverse: range.reverse === true,
    limit: range.limit === undefined || range.limit === Infinity ? -1 : range.limit,
  };
}

class LevelHandler implements MailboxHandler {
  open = true;
  readonly #database: Database;
  readonly #iterators = new Map<number, { readonly client: number; readonly iterator: DatabaseIterator; entries: number }>();
  #lastIterator = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async answer(client: number, request: unknown): Promise<LevelAnswer> {
    try {
      // Only `level-disk.ts` writes into the mailboxes.
      return { ok: true, value: await this.#answer(client, request as LevelRequest) };
    } catch (error) {
      return { ok: false, ...innermostCause(error) };
    }
  }

  async forget(client: number): Promise<void> {
    for (const [id, entry] of this.#iterators) if (entry.client === client) await this.#closeIterator(id);
  }

  async #answer(client: number, request: LevelRequest): Promise<unknown> {
    switch (request.op) {
      case "get-many":
        return await this.#database.getMany(request.keys.map((key) => rowKey(request.family, key)));
      case "write": {
        const operations = request.operations.map(({ family, key, value }) =>
          value === null
            ? ({ type: "del", key: rowKey(family, key) } as const)
            : ({ type: "put", key: rowKey(family, key), value: Buffer.from(value.buffer, value.byteOffset, value.length) } as const),
        );
        return await this.#database.batch(operations, { sync: request.sync });
      }
      case "open-entries": {
        const iterator = this.#database.iterator(bounds(request.family, request.range));
        const id = ++this.#lastIterator;
        this.#iterators.set(id, { client, iterator, entries: FIRST_CHUNK_ENTRIES });
        return await this.#nextChunk(id);
      }
      case "next-entries":
        return await this.#nextChunk(request.iterator);
      case "close-entries":
        return await this.#closeIterator(request.iterator);
      case "delete-range":
        return await this.#deleteRange(request.family, request.from, request.to);
      case "close":
        for (const id of this.#iterators.keys()) await this.#closeIterator(id);
        this.open = false;
        return await this.#database.close();
    }
    request satisfies never;
    return undefined;
  }

  async #nextChunk(id: number): Promise<LevelChunk> {
    const open = this.#iterators.get(id);
    if (open === undefined) return { iterator: 0, entries: [] };
    const entries = await open.iterator.nextv(open.entries);
    const finished = entries.length === 0;
    if (finished) await this.#closeIterator(id);
    open.entries = Math.min(open.entries * 4, CHUNK_ENTRIES_MAX);
    return { iterator: finished ? 0 : id, entries: entries.map(([key, value]) => [key.subarray(1), value] as const) };
  }

  async #closeIterator(id: number): Promise<void> {
    const open = this.#iterators.get(id);
    this.#iterators.delete(id);
    await open?.iterator.close();
  }

  async #deleteRange(family: Family, from: Uint8Array, to: Uint8Array): Promise<void> {
    for (;;) {
      const keys = await this.#database.keys({ ...bounds(family, { from, to }), limit: DELETE_BATCH_KEYS }).all();
      if (keys.length === 0) return;
      await this.#database.batch(keys.map((key) => ({ type: "del", key }) as const));
    }
  }
}

function say(message: LevelThreadMessage): void {
  parentPort?.postMessage(message);
}

/**
 * Of a database whose opening has failed. Its own `close` does nothing then, and what the addon still holds ends the whole process by a
 * segmentation fault when this thread ends.
 */
async function letGo(database: Database): Promise<void> {
  // Not in its types: what `close` calls for one that is open.
  // oxlint-disable-next-line eslint/no-underscore-dangle -- so abstract-level calls what its implementations give it.
  await (database as unknown as { _close(): Promise<void> })._close();
}

/** What LevelDB would not notice, before it opens them. What somebody has open changes meanwhile: only its lock is looked at then. */
async function lookAtFiles(directory: string): Promise<void> {
  if (findSequenceGap(directory) === undefined && findLogCuts(directory).length === 0 && findDamagedTable(directory) === undefined) return;
  const probe: Database = new ClassicLevel<Buffer, Buffer>(directory);
  const error: unknown = await probe.open({ createIfMissing: false, errorIfExists: true }).catch((cause: unknown) => cause);
  await letGo(probe);
  if (innermostCause(error).code === "LEVEL_LOCKED") throw error;
  cutLogs(findLogCuts(directory));
  const damage = findSequenceGap(directory) ?? findDamagedTable(directory);
  if (damage !== undefined) throw Object.assign(new Error(damage), { code: "LEVEL_CORRUPTION" });
}

async function main(): Promise<void> {
  // Only `level-disk.ts` starts this thread.
  const data = workerData as LevelThreadData;
  let database: Database | undefined;
  try {
    await lookAtFiles(data.directory);
    database = new ClassicLevel<Buffer, Buffer>(data.directory, { keyEncoding: "buffer", valueEncoding: "buffer" });
    // At once: it would open itself in a moment, and make what is missing.
    await database.open({ createIfMissing: data.create });
  } catch (error) {
    if (database !== undefined) await letGo(database);
    say({ opened: false, ...innermostCause(error) });
    return;
  }
  say({ opened: true });
  await serveMailboxes(data.memory, data.mailboxes, new LevelHandler(database));
}

await main();
