/** Which jobs have begun and not ended, as the trips tell it. */
import type { AssignmentEvent, TripChanged } from "#schemas";

export interface OpenJobs {
  readonly observe: (name: "assignments" | "trips", value: AssignmentEvent | TripChanged) => void;
  readonly open: () => number;
}

export function openJobs(): OpenJobs {
  const open = new Set<string>();
  return {
    observe(_, value) {
      if (value.type !== "TripChanged") return;
      if (value.state === "completed" || value.state === "cancelled" || value.state === "failed") open.delete(value.jobId);
      else open.add(value.jobId);
    },
    open: () => open.size,
  };
}
