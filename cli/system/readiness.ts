/** Is this instance fit to be asked? What is missing, and how far it is. */
import type { Readiness } from "#api";
import { RESERVE_BYTES } from "#log";
import { taskName, type Application } from "#streams";
import type { System } from "./open-system.ts";

const TASKS_NAMED_MAX = 8;

export function readinessOf(app: Application | undefined, { disk, log }: Pick<System, "disk" | "log">): Readiness {
  if (app === undefined || app.state !== "running") return { ready: false, reason: app?.state ?? "opening" };
  const free = disk.freeBytes();
  if (free !== undefined && free < RESERVE_BYTES)
    return { ready: false, reason: `${free} bytes are free on the disk, ${RESERVE_BYTES} are the least` };
  if (log.capabilities.atomicRows) return { ready: true, reason: "running" };
  const { generation, restoring, running } = app.status;
  if (generation < 0) return { ready: false, reason: "joining the group" };
  if (restoring.length === 0) return { ready: true, reason: `running ${running.length} tasks of generation ${generation}` };
  const named = restoring.slice(0, TASKS_NAMED_MAX).map(taskName).join(", ");
  return { ready: false, reason: `restoring ${restoring.length} tasks, ${running.length} run: ${named}` };
}
