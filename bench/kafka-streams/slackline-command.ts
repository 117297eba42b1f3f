/** How our side is started. */
import { fileURLToPath } from "node:url";
import type { SideOptions } from "./side-process.ts";

/** Words for `spawn`; the program is `slackline-side.ts`. `profileFolder` takes a CPU profile of each of its threads. */
export function slacklineCommand(options: SideOptions, profileFolder?: string): Promise<readonly string[]> {
  const { topology, brokers, applicationId, directory, input, output, threads, sessionMs } = options;
  const program = fileURLToPath(new URL("slackline-side.ts", import.meta.url));
  const profile = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const words = [topology, brokers.join(","), applicationId, directory, input, output, String(threads), String(sessionMs)];
  return Promise.resolve([process.execPath, ...profile, program, ...words]);
}
