/** A process of a test that does not outlive the process that started it, however that one ends. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";

/**
 * A shell waits for the end of a pipe that only this process holds open: it comes with SIGTERM, SIGKILL and a crash alike, where no
 * handler of ours would run. When the child ends first, the shell is ended before its number can be another process's.
 */
export function endWithParent(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const watcher = spawn("sh", ["-c", 'read _; kill -9 "$0"', String(pid)], { stdio: ["pipe", "ignore", "ignore"] });
  // Neither keeps this process alive.
  watcher.unref();
  (watcher.stdin as Socket | null)?.unref();
  watcher.on("error", () => undefined);
  child.once("exit", () => watcher.kill("SIGKILL"));
}
