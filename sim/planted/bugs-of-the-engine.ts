/** Bugs that an engine may have, planted between it and its log or its rows. */
import type { Disk, DiskBatch, Family } from "#disk";
import type { CommittedOffset, CommitRequest, Log, TopicPartition, Writer, WriterOptions } from "#log";
import { changed } from "./planted.ts";
import type { PlantedBug } from "./planted.ts";

const INPUTS = ["moves", "transfers"].flatMap((topic) => [0, 1, 2].map((partition) => ({ topic, partition })));
const MUTATED_EVERY = 3;
const ROWLESS_EVERY = 20;

export const engineBugs: readonly PlantedBug[] = [
  {
    name: "rows are written before the transaction has ended",
    plant: () => ({
      wrapLog: (log) =>
        withWriters(log, (writer) => {
          let behind: Promise<unknown> = Promise.resolve();
          return changed(writer, {
            commit: async (request: CommitRequest) => {
              await behind;
              const under = writer.commit(request);
              behind = under;
              under.catch(() => {});
            },
          });
        }),
    }),
  },
  {
    name: "offsets are fetched before the older producer is fenced",
    needs: "ledger",
    plant: () => ({ wrapLog: withEarlyOffsets }),
  },
  {
    name: "a commit leaves out the offsets of a task that only fired timers",
    plant: () => ({
      wrapLog: (log) =>
        withWriters(log, (writer) => {
          const last = new Map<string, number>();
          return changed(writer, {
            commit: (request: CommitRequest) => {
              const offsets = request.offsets.filter(({ topic, partition, offset }) => last.get(`${topic}/${partition}`) !== offset);
              for (const { topic, partition, offset } of request.offsets) last.set(`${topic}/${partition}`, offset);
              return writer.commit({ ...request, offsets });
            },
          });
        }),
    }),
  },
  {
    name: "a stored value is changed by whoever reads it",
    needs: "ledger",
    plant: () => ({
      wrapDisk: (disk) => {
        let reads = 0;
        const mutated = (row: Buffer | undefined): Buffer | undefined => {
          if (row === undefined || row.length < 3 || row.at(-1) !== 0x7d || ++reads % MUTATED_EVERY !== 0) return row;
          const other = Buffer.from(row);
          const digit = other.at(-2) ?? 0x30;
          other[other.length - 2] = digit === 0x39 ? 0x38 : digit + 1;
          return other;
        };
        return changed(disk, {
          get: (family: Family, key: Uint8Array) => mutated(disk.get(family, key)),
          getMany: (family: Family, keys: readonly Uint8Array[]) => disk.getMany(family, keys).map(mutated),
        });
      },
    }),
  },
  {
    name: "a task that is being restored answers questions",
    needs: "ledger",
    plant: () => ({ answersEarly: true }),
  },
  {
    name: "positions are written without their rows now and then",
    plant: () => {
      let batches = 0;
      return { wrapDisk: (disk) => changed(disk, { batch: () => (++batches % ROWLESS_EVERY === 0 ? withoutRows(disk) : disk.batch()) }) };
    },
  },
  {
    name: "the cache of rows is not cleared when a task comes back",
    plant: () => {
      const caches = new Map<number, Map<string, Buffer | undefined>>();
      return {
        wrapDisk: (disk, instance) => {
          const cache = caches.get(instance) ?? new Map<string, Buffer | undefined>();
          caches.set(instance, cache);
          return withCache(disk, cache);
        },
      };
    },
  },
];

function withWriters(log: Log, wrap: (writer: Writer) => Writer): Log {
  return changed(log, { writer: (options: WriterOptions) => wrap(log.writer(options)) });
}

function withEarlyOffsets(log: Log): Log {
  let early: readonly (CommittedOffset | undefined)[] | undefined;
  return changed(log, {
    writer: (options: WriterOptions) => {
      const writer = log.writer(options);
      return changed(writer, {
        initialize: async () => {
          early = await log.offsets.committed(options.group, INPUTS).catch(() => undefined);
          await writer.initialize();
        },
      });
    },
    offsets: changed(log.offsets, {
      committed: async (group: string, partitions: readonly TopicPartition[]) => {
        if (early === undefined) return log.offsets.committed(group, partitions);
        const known = early;
        return partitions.map(
          ({ topic, partition }) => known[INPUTS.findIndex((each) => each.topic === topic && each.partition === partition)],
        );
      },
    }),
  });
}

function withoutRows(disk: Disk): DiskBatch {
  const batch = disk.batch();
  return changed(batch, {
    put: (family: Family, key: Uint8Array, value: Uint8Array) => {
      // The engine's own rows have the store id 0.
      if (Buffer.from(key).readUInt32BE(0) === 0) batch.put(family, key, value);
    },
  });
}

/** Commits go through to it, restores do not: only commits write positions of inputs. */
function withCache(disk: Disk, cache: Map<string, Buffer | undefined>): Disk {
  const batches = new WeakMap<
    DiskBatch,
    { readonly inner: DiskBatch; readonly writes: [string, Buffer | undefined][]; commits: boolean }
  >();
  return changed(disk, {
    get: (family: Family, key: Uint8Array) => {
      const name = `${family} ${Buffer.from(key).toString("latin1")}`;
      if (!cache.has(name)) cache.set(name, disk.get(family, key));
      return cache.get(name);
    },
    batch: () => {
      const kept = { inner: disk.batch(), writes: [] as [string, Buffer | undefined][], commits: false };
      const batch = changed(kept.inner, {
        put: (family: Family, key: Uint8Array, value: Uint8Array) => {
          const name = `${family} ${Buffer.from(key).toString("latin1")}`;
          kept.commits ||= name.includes("input/");
          kept.writes.push([name, Buffer.from(value)]);
          kept.inner.put(family, key, value);
        },
        delete: (family: Family, key: Uint8Array) => {
          kept.writes.push([`${family} ${Buffer.from(key).toString("latin1")}`, undefined]);
          kept.inner.delete(family, key);
        },
      });
      batches.set(batch, kept);
      return batch;
    },
    write: (batch: DiskBatch, options: { readonly sync: boolean }) => {
      const kept = batches.get(batch);
      disk.write(kept?.inner ?? batch, options);
      if (kept?.commits === true) for (const [name, value] of kept.writes) cache.set(name, value);
    },
  });
}
