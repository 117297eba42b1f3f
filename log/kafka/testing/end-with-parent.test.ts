import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";

const PARENT = `
import { spawn } from "node:child_process";
import { endWithParent } from ${JSON.stringify(new URL("end-with-parent.ts", import.meta.url).href)};
const child = spawn("sleep", ["600"], { stdio: "ignore" });
endWithParent(child);
console.log(child.pid);
if (process.argv.includes("leave")) { child.unref(); } else setInterval(() => {}, 1000);
`;

test.each(["SIGTERM", "SIGKILL"] as const)("a process that was started ends with its parent when that ends by %s", async (signal) => {
  const parent = spawn(process.execPath, ["--input-type=module", "-e", PARENT], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string]; // of readline
  const pid = Number(line);
  expect(alive(pid)).toBe(true);
  parent.kill(signal);
  await expectEnd(pid);
});

test("a parent that has nothing else to do ends, and takes the process with it", async () => {
  const parent = spawn(process.execPath, ["--input-type=module", "-e", PARENT, "leave"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(parent, "exit");
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string]; // of readline
  await ended;
  await expectEnd(Number(line));
});

async function expectEnd(pid: number): Promise<void> {
  const until = Date.now() + 10_000;
  while (alive(pid) && Date.now() < until) await sleep(10);
  expect(alive(pid)).toBe(false);
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
