/**
 * The name of an instance, kept with its state: a new process on the same directory is the same instance, and fences the one before. And
 * the names that its threads have by it.
 */
import type { Disk } from "#disk";
import { ENGINE_STORE_ID, rowPrefix } from "#state";
import { newInstanceId } from "./defaults.ts";

const INSTANCE_KEY = Buffer.concat([rowPrefix(ENGINE_STORE_ID, 0), Buffer.from("instance")]);

/** Made the first time. The owner of the database asks, before it starts threads. */
export function keptInstanceId(disk: Disk): string {
  const kept = disk.get("rows", INSTANCE_KEY)?.toString("utf8");
  if (kept !== undefined) return kept;
  const id = newInstanceId();
  const batch = disk.batch();
  batch.put("rows", INSTANCE_KEY, Buffer.from(id));
  disk.write(batch, { sync: true });
  return id;
}

/** Of a thread in its group. */
export function memberIdOf({ instanceId, thread }: { readonly instanceId: string; readonly thread: number }): string {
  return `${instanceId}-${thread}`;
}

/** Of a thread, by its member id: kept from life to life, so that the next one fences the last. */
export function transactionalIdOf(applicationId: string, memberId: string): string {
  return `${applicationId}-${memberId}`;
}
