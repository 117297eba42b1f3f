/** kill -9 in the middle of writing: what was acknowledged is there, and both families are of the same batch. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { DiskKind } from "./disk.ts";
import { openDisk } from "./open-disk.ts";

const writer = fileURLToPath(new URL("./fixtures/paired-writer.ts", import.meta.url));

/** Runs the writer until it was killed; the last batch that it was told is written. */
async function writeUntilKilled(location: string, kind: DiskKind, sync: boolean, runMs: number): Promise<number> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [writer, location, kind, sync ? "sync" : "process"], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  const exited = new Promise<string | null>((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
  const started = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      resolve();
    });
  });
  await Promise.race([started, exited]);
  await sleep(runMs);
  child.kill("SIGKILL");
  expect(await exited).toBe("SIGKILL");
  const lines = output.split("\n");
  return Number(lines[lines.length - 2]);
}

test.each([
  ["rocksdb", 4],
  ["classic-level", 2],
] as const)("%s has every acknowledged batch after each of %i kills, families in step", { timeout: 60_000 }, async (kind, rounds) => {
  const location = await mkdtemp(join(tmpdir(), "slackline-kill-"));
  try {
    let before = -1;
    for (let round = 0; round < rounds; round++) {
      const acknowledged = await writeUntilKilled(location, kind, round % 2 === 1, 60 + round * 45);
      await using disk = await openDisk({ location });
      expect(disk.kind).toBe(kind);
      const count = Number(disk.get("rows", Buffer.from("count"))?.toString());
      expect(Number(disk.get("log", Buffer.from("~count"))?.toString())).toBe(count);
      // The batch that was being written when the process died may be there; nothing acknowledged may be missing.
      expect(count === acknowledged || count === acknowledged + 1, `${count} written, ${acknowledged} acknowledged`).toBe(true);
      expect(count).toBeGreaterThan(before);
      expect([...disk.entries("log", { to: Buffer.from("~") })]).toHaveLength(count + 1);
      expect(disk.get("rows", Buffer.from(`row/${count % 100}`))?.toString()).toBe(String(count));
      before = count;
    }
  } finally {
    await rm(location, { recursive: true, force: true });
  }
});
