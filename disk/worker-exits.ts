/** Tells databases of workers that this thread started and that have ended, by whatever way: they cannot detach any more. */
import type { Worker } from "node:worker_threads";
import type { SharedUsers } from "./shared-users.ts";

const watched = new Set<SharedUsers>();

function onWorker(worker: Worker): void {
  const id = worker.threadId; // gone once it has exited
  worker.once("exit", () => {
    for (const users of watched) users.release(id);
  });
}

/** From now on the exit of a worker that this thread starts releases its attachments. Returns the end of it. */
export function watchWorkerExits(users: SharedUsers): () => void {
  if (watched.size === 0) process.on("worker", onWorker);
  watched.add(users);
  return () => {
    watched.delete(users);
    if (watched.size === 0) process.off("worker", onWorker);
  };
}
