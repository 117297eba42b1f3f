/** The child's side of `runInChildren`: one answer for each job that arrives, by the channel that `fork` made. */

export type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string };

/** Jobs and results are plain JSON. The process ends when its parent lets go of it, or dies. */
export function answerJobs<Job>(work: (job: Job) => Promise<unknown>): void {
  process.on("message", (job) => {
    // The parent sends only jobs of the kind that this program was started for.
    work(job as Job).then(
      (result) => send({ ok: true, result }),
      (error: unknown) => send({ ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on("disconnect", () => process.exit());
}

function send(answer: Answer): void {
  process.send?.(answer);
}
