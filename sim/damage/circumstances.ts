/** What is wrong around a directory and not in its files: it is not ours, it cannot be written, the volume is full. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { between, type Random } from "#log/kafka/simulated";
import type { Answer } from "./answer.ts";
import type { DamagedState } from "./damaged-state.ts";
import { APPLICATION, olderTallyTopology } from "./tally-topology.ts";

export interface Circumstance {
  readonly name: string;
  /** As the table in the documentation says it. */
  readonly what: string;
  /** What it must be said by; else any answer that is not wrong. */
  readonly codes: readonly string[];
  readonly meet: (state: DamagedState, location: string, random: Random) => Promise<Answer>;
}

const NOBODY = 65_534;
const ROOT = 0;
const VOLUME_KB = 16 * 1024;
const commands = { mount: "mount", unmount: "umount" };

export const circumstances: readonly Circumstance[] = [
  {
    name: "older-topology",
    what: "another version of the application runs over it, with another serde for a store",
    codes: ["MANIFEST_MISMATCH"],
    meet: (state, location) => state.answerTo(location, { topology: olderTallyTopology(), applicationId: APPLICATION }),
  },
  {
    name: "other-application",
    what: "another application runs over it",
    codes: ["MANIFEST_MISMATCH"],
    meet: (state, location) => state.answerTo(location, { topology: state.topology, applicationId: "somebody" }),
  },
  { name: "locked", what: "another process has it open", codes: ["DISK_LOCKED"], meet: locked },
  {
    name: "read-only",
    what: "it cannot be written",
    codes: ["DISK_FAILED"],
    meet: (state, location) => asNobody(state, location, { directory: 0o500, file: 0o400 }),
  },
  {
    name: "forbidden",
    what: "it cannot be read",
    codes: ["DISK_FAILED"],
    meet: (state, location) => asNobody(state, location, { directory: 0o000, file: 0o000 }),
  },
  { name: "volume-full", what: "the volume is full, at whichever write", codes: ["DISK_FULL", "LOG_UNAVAILABLE"], meet: fullVolume },
];

async function locked(state: DamagedState, location: string): Promise<Answer> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const holder = fileURLToPath(new URL("lock-holder.ts", import.meta.url));
  const child = spawn(process.execPath, [holder, location, state.options.kind], { env, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  await Promise.race([new Promise((resolve) => child.stdout.once("data", resolve)), ended]);
  const answer = await state.answerTo(location);
  child.kill("SIGKILL");
  await ended;
  return answer;
}

/** Nothing is forbidden to root: the process is somebody else meanwhile. */
async function asNobody(
  state: DamagedState,
  location: string,
  modes: { readonly directory: number; readonly file: number },
): Promise<Answer> {
  const { getuid, seteuid } = process;
  const root = getuid?.() === ROOT;
  const database = join(location, "database");
  for (const folder of [location, database])
    for (const name of readdirSync(folder)) if (!existsSync(join(folder, name, "."))) own(join(folder, name), modes.file, root);
  own(database, modes.directory, root);
  own(location, modes.directory, root);
  if (root) seteuid?.(NOBODY);
  try {
    return await state.answerAlone(location);
  } finally {
    if (root) seteuid?.(ROOT);
    chmodSync(location, 0o700);
    chmodSync(database, 0o700);
  }
}

function own(path: string, mode: number, root: boolean): void {
  chmodSync(path, mode);
  if (root) chownSync(path, NOBODY, NOBODY);
}

async function fullVolume(state: DamagedState, location: string, random: Random): Promise<Answer> {
  const volume = `${location}-volume`;
  mkdirSync(volume, { recursive: true });
  try {
    execFileSync(commands.mount, ["-t", "tmpfs", "-o", `size=${VOLUME_KB}k`, "tmpfs", volume], { stdio: "ignore" });
  } catch {
    return { kind: "skipped", why: "no volume can be mounted here" };
  }
  try {
    const own = join(volume, "data");
    state.copyTo(own);
    const { bavail, bsize } = statfsSync(volume);
    const ballast = join(volume, "ballast");
    writeFileSync(
      ballast,
      Buffer.alloc(Math.max(0, bavail * bsize - between(random, 0, state.options.path === "kafka" ? 150 : 600) * 1024)),
    );
    return await state.answerToFullVolume(own, () => rmSync(ballast));
  } finally {
    execFileSync(commands.unmount, [volume]);
  }
}
