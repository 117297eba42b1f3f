/** Starts the project's own command as a user would, and reads its JSON answer. */
import { spawn } from "node:child_process";

export interface Answer {
  readonly status: number | null;
  readonly json: unknown;
  readonly stderr: string;
}

const outputBytesMax = 64 * 1024 * 1024;

/** Rejects when the child cannot be started or prints more than 64 MiB. */
export function slackline(args: readonly string[], options: { readonly timeoutMs: number }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["cli/main.ts", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      if (stdout.length > outputBytesMax) child.kill("SIGKILL");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = `${stderr}${chunk.toString("utf8")}`.slice(-4_000);
    });
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, json: lastJson(stdout), stderr });
    });
  });
}

function lastJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    return undefined;
  }
}
