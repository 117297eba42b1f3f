/** Commands that look at a folder: the process that lives in it answers, otherwise the folder is opened here. */
import { ApiError, remoteInspector, type Inspector } from "#api";
import { DiskError, holdsDatabase } from "#disk";
import { CliError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { openSystem, systemOptions } from "../system/open-system.ts";
import { livingProcess } from "./living-process.ts";

/** Runs `look`, then closes what was opened for it. Throws CliError `CANNOT_REACH` when there is nothing to look at. */
export async function withInspector<T>(settings: Settings, look: (inspector: Inspector) => Promise<T>): Promise<T> {
  const directory = settings.dir.value;
  const address = livingProcess(directory);
  if (address === undefined) return await openHere(settings, look);
  try {
    return await look(remoteInspector(address.url, address.token));
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "INSTANCE_UNREACHABLE") throw error;
  }
  // Whoever left the address may have been killed, and its id given to another process: then the folder is free.
  try {
    return await openHere(settings, look);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== "DISK_LOCKED") throw error;
    const message = `process ${address.pid} holds ${directory} but does not answer at ${address.url}.\nStop it and try again: kill ${address.pid}`;
    throw new CliError("CANNOT_REACH", message, { cause: error });
  }
}

async function openHere<T>(settings: Settings, look: (inspector: Inspector) => Promise<T>): Promise<T> {
  const directory = settings.dir.value;
  if (settings.disk.value !== "memory" && !holdsDatabase(directory)) {
    throw new CliError("CANNOT_REACH", `there is no database in ${directory}.\nStart something in it: npm run demo -- --dir ${directory}`);
  }
  await using system = await openSystem(systemOptions(settings));
  return await look(system.inspector);
}
