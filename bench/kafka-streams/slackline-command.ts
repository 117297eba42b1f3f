/** How our side is started. */
import { fileURLToPath } from "node:url";
import type { SideOptions } from "./side-process.ts";

/** Words for `spawn`; the program is `slackline-side.ts`. `nodeWords` go before it. */
export function slacklineCommand(options: SideOptions, nodeWords: readonly string[] = []): Promise<readonly string[]> {
  const { topology, brokers, applicationId, directory, input, output, threads, sessionMs } = options;
  const program = fileURLToPath(new URL("slackline-side.ts", import.meta.url));
  const words = [topology, brokers.join(","), applicationId, directory, input, output, String(threads), String(sessionMs)];
  return Promise.resolve([process.execPath, ...nodeWords, program, ...words]);
}
