/** Tries RocksDB in a child process: an addon built for another processor does not throw, it kills. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { rocksModulePath } from "./rocks-binding.ts";

const PROBE_MS_MAX = 30_000;

/** Opens, writes, reads: enough of the code to meet an instruction that the processor does not have. */
const script = `
const [path, location] = process.argv.slice(1);
const rocks = require(path);
const db = rocks.db_init(location);
rocks.db_open(db, { createIfMissing: true }, (error) => {
  if (error) throw error;
  const batch = rocks.batch_init();
  rocks.batch_put(batch, Buffer.from("key"), Buffer.alloc(4096, "value"), {});
  rocks.batch_write(db, batch, { sync: false });
  const [value] = rocks.db_get_many_sync(db, [Buffer.from("key")], {});
  if (!value || value.length !== 4096) throw new Error("read back something else");
  rocks.db_close(db, (error) => { if (error) throw error; });
});
`;

/** What an earlier probe holds for: another processor, Node or package needs another one. */
export function probeFingerprint(): string {
  let path = "";
  try {
    path = rocksModulePath();
  } catch {
    // Not installed: the probe will say so.
  }
  return [process.version, process.platform, process.arch, cpus()[0]?.model ?? "", path].join("|");
}

let probed: Promise<string | undefined> | undefined;

/** Undefined when RocksDB works here, else the reason. Once a process. */
export function probeRocksDb(): Promise<string | undefined> {
  return (probed ??= probe());
}

async function probe(): Promise<string | undefined> {
  let path: string;
  try {
    path = rocksModulePath();
  } catch {
    return "the package @nxtedition/rocksdb is not installed";
  }
  const location = await mkdtemp(join(tmpdir(), "slackline-probe-"));
  try {
    return await runProbe(path, location);
  } finally {
    await rm(location, { recursive: true, force: true });
  }
}

function runProbe(path: string, location: string): Promise<string | undefined> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, ["-e", script, path, location], { timeout: PROBE_MS_MAX, env }, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined);
      else if (error.signal !== null && error.signal !== undefined) resolve(`its process was ended by ${error.signal}`);
      else resolve(/^\w*Error: .*$/m.exec(stderr)?.[0] ?? "it does not load");
    });
  });
}
