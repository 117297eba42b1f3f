/** I4: the rows of a process at their position are what the committed changelog says up to there. Rows are read as bytes. */
import type { Disk } from "#disk";
import type { CommittedPartition } from "#proof";
import { prefixEnd, rowPrefix } from "#state";
import { Violation } from "./violation.ts";

const ENGINE = 0;
const TWO_TO_32 = 2 ** 32;

interface Fold {
  readonly values: Map<string, Buffer>;
  /** Records that are in it. */
  taken: number;
}

export class StoredRows {
  readonly #application: string;
  readonly #stores: readonly string[];
  readonly #partition: (topic: string, partition: number) => CommittedPartition;
  readonly #folds = new Map<string, Fold>();

  constructor(application: string, stores: readonly string[], partition: (topic: string, partition: number) => CommittedPartition) {
    this.#application = application;
    this.#stores = stores;
    this.#partition = partition;
  }

  check(rows: Disk, whose: string): void {
    const ids = idsOf(rows);
    for (const store of this.#stores) {
      const id = ids.get(store);
      if (id === undefined) continue;
      const from = Buffer.concat([rowPrefix(ENGINE, 0), Buffer.from("changelog/"), u32(id)]);
      for (const [key, row] of rows.entries("rows", { from, to: prefixEnd(from) })) {
        const partition = key.readUInt32BE(key.length - 4);
        const position = row.readInt32BE(1) * TWO_TO_32 + row.readUInt32BE(5);
        this.#compare({ store, partition, position, whose }, storeRows(rows, id, partition));
      }
    }
  }

  /** Key as latin1 → value, of everything committed below the position. */
  changelogAt(store: string, partition: number, position: number): ReadonlyMap<string, Buffer> {
    const { records } = this.#partition(`${this.#application}-${store}-changelog`, partition);
    const key = `${store}/${partition}`;
    const last = this.#folds.get(key);
    const fold =
      last !== undefined && (records[last.taken - 1]?.offset ?? -1) < position ? last : { values: new Map<string, Buffer>(), taken: 0 };
    this.#folds.set(key, fold);
    for (let record = records[fold.taken]; record !== undefined && record.offset < position; record = records[++fold.taken]) {
      const name = record.key?.toString("latin1") ?? "";
      if (record.value === null) fold.values.delete(name);
      else fold.values.set(name, record.value);
    }
    return fold.values;
  }

  #compare(
    {
      store,
      partition,
      position,
      whose,
    }: { readonly store: string; readonly partition: number; readonly position: number; readonly whose: string },
    found: ReadonlyMap<string, Buffer>,
  ): void {
    const where = `${store}/${partition} of ${whose} at ${position}`;
    const { stableOffset } = this.#partition(`${this.#application}-${store}-changelog`, partition);
    if (position > stableOffset) return;
    const expected = this.changelogAt(store, partition, position);
    for (const [key, value] of expected)
      if (found.get(key)?.equals(value) !== true)
        throw new Violation("I4", `${where}: the row of ${key} is ${String(found.get(key))}, and the changelog says ${String(value)}.`);
    if (found.size !== expected.size)
      throw new Violation("I4", `${where}: there are ${found.size} rows, and the changelog has ${expected.size} keys.`);
  }
}

function idsOf(rows: Disk): ReadonlyMap<string, number> {
  const from = Buffer.concat([rowPrefix(ENGINE, 0), Buffer.from("store-id/")]);
  const ids = new Map<string, number>();
  for (const [key, value] of rows.entries("rows", { from, to: prefixEnd(from) }))
    ids.set(key.toString("utf8", from.length), value.readUInt32BE(0));
  return ids;
}

function storeRows(rows: Disk, id: number, partition: number): ReadonlyMap<string, Buffer> {
  const from = rowPrefix(id, partition);
  const found = new Map<string, Buffer>();
  for (const [key, value] of rows.entries("rows", { from, to: prefixEnd(from) })) found.set(key.toString("latin1", from.length), value);
  return found;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
