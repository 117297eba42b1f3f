/** How a command that lives on its own ends: told by a signal, or after its time. */

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once, with status 1. */
export function endSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        resolve();
      });
    }
  });
}

/** Resolves after so many real seconds, and never without; keeps no process alive. */
export function after(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (seconds !== undefined) setTimeout(resolve, seconds * 1_000).unref();
  });
}
