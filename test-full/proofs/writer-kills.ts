/** 200 kills of a small store-and-log writer: the log's own test, asked for more. */
import { spawn } from "node:child_process";
import type { Proof } from "../proof.ts";

export const writerKills: Proof<{ readonly kills: number }> = {
  name: "writer-kills",
  claim: "a process with four threads that write store and log is killed by kill -9: data, offsets and log are always of the same commit",
  needs: "nothing",
  processes: 1,
  itemSecondsMax: 3_600,
  items: ({ writerKills: kills }) => [{ name: `${kills} kills`, job: { kills } }],
  async prove({ kills }) {
    const { status, output } = await vitest("log/embedded/kills.test.ts", kills);
    return { ok: status === 0, facts: { kills, broken: status === 0 ? "" : output.slice(-2_000) } };
  },
  tell: (entries) =>
    entries.map(({ ok, facts, seconds }) => `${facts["kills"]} kills in ${seconds.toFixed(0)} s: ${ok ? "held" : "FAILED"}.`),
};

function vitest(file: string, kills: number): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", file, "--reporter=dot"], {
      env: { ...process.env, SLACKLINE_KILLS: String(kills), NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const hear = (chunk: Buffer): void => {
      output = `${output}${chunk.toString("utf8")}`.slice(-16_000);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}
