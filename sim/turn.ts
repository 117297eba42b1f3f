/** The end of a macrotask: everything that promises have to do is done then, and a rejection that nobody looked after is told. */

/** Set at once: between two of them promises run as between two turns of the event loop, without what a turn of it costs. */
const IMMEDIATES = 64;

let waiting: (() => void) | undefined;
let left = 0;

/** One caller at a time waits in a thread. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting = resolve;
    if (left > 0) return;
    for (left = 0; left < IMMEDIATES; left++) setImmediate(pulse);
  });
}

function pulse(): void {
  left -= 1;
  const resolve = waiting;
  waiting = undefined;
  resolve?.();
}
