/** One client of a stream. What it does not read is kept up to a bound; then it is closed, and may come back with its last id. */
import type { ServerResponse } from "node:http";

/** Written and not yet taken by the client: some hundred events. */
export const FOLLOWER_BYTES_MAX = 64 * 1024;
/** What a browser waits before it comes back. */
const RETRY_MS = 3_000;

/** The part of a response that a follower uses. */
export type EventOutput = Pick<ServerResponse, "write" | "writableLength" | "destroy" | "end">;

export class SseFollower {
  readonly #output: EventOutput;
  readonly #onSlow: () => void;
  #open = true;

  constructor(output: EventOutput, onSlow: () => void) {
    this.#output = output;
    this.#onSlow = onSlow;
    output.write(`retry: ${RETRY_MS}\n\n`);
  }

  get open(): boolean {
    return this.#open;
  }

  /** False when the client was too slow and is closed now, or was closed before. */
  send(frame: Buffer | string): boolean {
    if (!this.#open) return false;
    if (this.#output.writableLength + frame.length > FOLLOWER_BYTES_MAX) {
      this.#open = false;
      this.#output.destroy();
      this.#onSlow();
      return false;
    }
    this.#output.write(frame);
    return true;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#output.end();
  }
}

/** One event as it goes over the wire; `data` must be JSON, which has no line breaks. */
export function eventFrame(event: string, data: unknown, id: string | undefined): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
