/**
 * A database whose batches are remembered as what they come to: a digest of everything in it after each of them. What is found in a
 * damaged directory has to be one of these, or be refused.
 */
import { createHash } from "node:crypto";
import type { Disk, DiskBatch, Family } from "#disk";

type Operation = readonly [family: Family, key: Buffer, value: Buffer | undefined];

const DIGEST_BYTES = 16;

/** Does not depend on the order: rows come and go. */
class Contents {
  readonly digest: Buffer;
  readonly #rows: Map<string, Buffer>;

  constructor(digest: Buffer = Buffer.alloc(DIGEST_BYTES), rows: ReadonlyMap<string, Buffer> = new Map()) {
    this.digest = digest;
    this.#rows = new Map(rows);
  }

  copy(): Contents {
    return new Contents(Buffer.from(this.digest), this.#rows);
  }

  put(family: Family, key: Uint8Array, value: Uint8Array | undefined): void {
    const name = family + Buffer.from(key).toString("latin1");
    const before = this.#rows.get(name);
    if (before !== undefined) this.#toggle(before);
    this.#rows.delete(name);
    if (value === undefined) return;
    const row = rowDigest(family, key, value);
    this.#rows.set(name, row);
    this.#toggle(row);
  }

  #toggle(row: Buffer): void {
    for (let at = 0; at < DIGEST_BYTES; at++) this.digest[at] = (this.digest[at] ?? 0) ^ (row[at] ?? 0);
  }
}

/** What a directory has held, batch by batch, over several openings. */
export class History {
  readonly #contents: Contents;
  readonly #after: string[];
  readonly #doubtful = new Map<string, number>();

  constructor(contents = new Contents(), after: readonly string[] = ["0".repeat(2 * DIGEST_BYTES)]) {
    this.#contents = contents;
    this.#after = [...after];
  }

  /** What comes from here on is not in this one. */
  fork(): History {
    return new History(this.#contents.copy(), this.#after);
  }

  get batches(): number {
    return this.#after.length - 1;
  }

  add(operations: readonly Operation[]): void {
    for (const [family, key, value] of operations) this.#contents.put(family, key, value);
    this.#after.push(this.#contents.digest.toString("hex"));
  }

  /** A batch whose write failed: it may be there or not. */
  addDoubtful(operations: readonly Operation[]): void {
    const contents = this.#contents.copy();
    for (const [family, key, value] of operations) contents.put(family, key, value);
    this.#doubtful.set(contents.digest.toString("hex"), this.batches);
  }

  /** After how many batches it was like this; undefined: never. */
  find(digest: string): number | undefined {
    const found = this.#after.lastIndexOf(digest);
    return found < 0 ? this.#doubtful.get(digest) : found;
  }
}

/** Of everything that can be read. Throws what the database throws. */
export function digestOf(disk: Disk): string {
  const contents = new Contents();
  for (const family of ["log", "rows"] as const) for (const [key, value] of disk.entries(family, {})) contents.put(family, key, value);
  return contents.digest.toString("hex");
}

class RecordedBatch implements DiskBatch {
  readonly inner: DiskBatch;
  readonly list: Operation[] = [];

  constructor(inner: DiskBatch) {
    this.inner = inner;
  }

  get bytes(): number {
    return this.inner.bytes;
  }

  get operations(): number {
    return this.inner.operations;
  }

  put(family: Family, key: Uint8Array, value: Uint8Array): void {
    this.list.push([family, Buffer.from(key), Buffer.from(value)]);
    this.inner.put(family, key, value);
  }

  delete(family: Family, key: Uint8Array): void {
    this.list.push([family, Buffer.from(key), undefined]);
    this.inner.delete(family, key);
  }
}

/** The same database, remembered. */
export function recorded(disk: Disk, history: History): Disk {
  const own: Partial<Disk> = {
    batch: () => new RecordedBatch(disk.batch()),
    write(batch, options) {
      const { inner, list } = batch as RecordedBatch; // made above
      try {
        disk.write(inner, options);
      } catch (error) {
        history.addDoubtful(list);
        throw error;
      }
      history.add(list);
    },
    deleteRange() {
      throw new Error("deleting a range is not remembered");
    },
    share: () => undefined,
  };
  return new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(name in own ? own : target, name, name in own ? own : target);
      return typeof value === "function" && !(name in own) ? (value.bind(target) as unknown) : value;
    },
  });
}

function rowDigest(family: Family, key: Uint8Array, value: Uint8Array): Buffer {
  return createHash("sha1").update(family).update(`${key.length} `).update(key).update(value).digest().subarray(0, DIGEST_BYTES);
}
