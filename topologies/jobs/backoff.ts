/** How long a job waits before its next attempt: exponential, with full jitter drawn from the job and the attempt. */

/** Milliseconds in [0, min(maxMs, baseMs × 2^(attempt − 1))); the same for the same job and attempt, always. */
export function backoffMs(jobId: string, attempt: number, baseMs: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.floor(fraction(`${jobId}#${attempt}`) * ceiling);
}

/** FNV-1a with a final mix, as a fraction of 1. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
