/** Clients of the streams in a process of their own: each follows one job and notes how old each position is when it arrives. */
import { Agent, get, type IncomingMessage } from "node:http";
import type { FollowCommand, FollowMessage, FollowOrder } from "./messages.ts";

/** Opened at once: a thousand handshakes in one moment measure the handshakes. */
const OPENING_MAX = 50;

class Followers {
  readonly #order: FollowOrder;
  readonly #agent = new Agent({ keepAlive: false, maxSockets: Infinity });
  readonly #streams: IncomingMessage[] = [];
  #ages: number[] = [];
  #broken = 0;
  #trips = 0;
  #over = false;

  constructor(order: FollowOrder) {
    this.#order = order;
  }

  async open(): Promise<void> {
    const { jobs } = this.#order;
    for (let next = 0; next < jobs.length; next += OPENING_MAX)
      await Promise.all(jobs.slice(next, next + OPENING_MAX).map((job) => this.#follow(job)));
  }

  /** What came before is not counted: it is the opening's. */
  async count(): Promise<void> {
    this.#ages = [];
    await new Promise((resolve) => setTimeout(resolve, this.#order.seconds * 1_000));
    this.#over = true;
    await say({ kind: "done", opened: this.#streams.length, broken: this.#broken, trips: this.#trips, ages: this.#ages });
    for (const stream of this.#streams) stream.destroy();
    this.#agent.destroy();
    process.disconnect();
  }

  #follow(jobId: string): Promise<void> {
    return new Promise((resolve) => {
      const url = `${this.#order.url}/v1/jobs/${jobId}/stream`;
      const request = get(url, { agent: this.#agent, headers: { accept: "text/event-stream" } }, (response) => {
        if (response.statusCode === 200) this.#streams.push(response);
        else this.#broken++;
        let rest = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          rest += chunk;
          for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
            this.#take(rest.slice(0, end));
            rest = rest.slice(end + 2);
          }
        });
        response.on("close", () => {
          if (!this.#over && response.statusCode === 200) this.#broken++;
        });
        resolve();
      });
      request.on("error", () => {
        if (!this.#over) this.#broken++;
        resolve();
      });
    });
  }

  #take(block: string): void {
    if (block.includes("event: trip")) this.#trips++;
    if (!block.includes("event: position")) return;
    const at = Number(/"at":(\d+)\}/.exec(block)?.[1]);
    this.#ages.push(Date.now() - at);
  }
}

/** Resolves when it is on its way whole. */
function say(message: FollowMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

let followers: Followers | undefined;
process.on("message", (command: FollowCommand) => {
  if (command.kind === "open") {
    followers = new Followers(command.order);
    void followers.open().then(() => say({ kind: "opened" }));
  } else void followers?.count();
});
