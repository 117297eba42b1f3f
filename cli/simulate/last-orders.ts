/** A world whose customers stop asking at a time, and whose people go home when the last job is done. */
import type { World, WorldEvent } from "#world";

/** Everything but new orders and rides goes on after `at`; nothing is due any more once no job is under way there. */
export function lastOrders(world: World, at: number): World {
  const asks = ({ topic, timestamp }: WorldEvent): boolean => timestamp > at && (topic === "orders" || topic === "rides");
  return {
    id: world.id,
    nextDueAt: () => world.nextDueAt(),
    run: (now) => world.run(now).filter((event) => !asks(event)),
    observe: (record) => world.observe(record),
    owns: (jobId) => world.owns(jobId),
    beginReplay: (known) => world.beginReplay(known),
    endReplay: (lastLocations, resumeAt) => world.endReplay(lastLocations, resumeAt),
  };
}
