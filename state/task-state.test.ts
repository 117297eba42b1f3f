import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryDisk, openDisk } from "#disk";
import { diskBackend, stateConformance } from "./conformance/state-conformance.ts";
import { openTaskState } from "./task-state.ts";

stateConformance({ name: "a database in memory", backend: async () => diskBackend(memoryDisk()), open: openTaskState, runs: 150 });

stateConformance({
  name: "RocksDB",
  async backend() {
    const location = await mkdtemp(join(tmpdir(), "slackline-state-"));
    const backend = diskBackend(await openDisk({ location, kind: "rocksdb" }));
    return {
      ...backend,
      async close() {
        await backend.close();
        await rm(location, { recursive: true, force: true });
      },
    };
  },
  open: openTaskState,
  runs: 40,
});
