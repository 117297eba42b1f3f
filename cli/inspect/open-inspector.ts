/** Commands that look at a folder: the process that lives in it answers, otherwise the folder is opened here. */
import { existsSync } from "node:fs";
import { remoteInspector, type Inspector } from "#api";
import { CliError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { openSystem, systemOptions } from "../system/open-system.ts";
import { livingProcess } from "./living-process.ts";

/** Runs `look`, then closes what was opened for it. Throws CliError `CANNOT_REACH` when there is nothing to look at. */
export async function withInspector<T>(settings: Settings, look: (inspector: Inspector) => Promise<T>): Promise<T> {
  const directory = settings.dir.value;
  const address = livingProcess(directory);
  if (address !== undefined) {
    try {
      return await look(remoteInspector(address.url));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch reports a refused connection as a TypeError
      throw new CliError("CANNOT_REACH", `process ${address.pid} holds ${directory} but does not answer at ${address.url}`, {
        cause: error,
      });
    }
  }
  if (!existsSync(directory)) {
    throw new CliError("CANNOT_REACH", `there is no folder ${directory}.\nStart something in it: npm run demo -- --dir ${directory}`);
  }
  await using system = await openSystem(systemOptions(settings));
  return await look(system.inspector);
}
