/** Clients of the streams: each follows one job and notes how old each position is when it arrives. */
import { Agent, get, type IncomingMessage } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import type { FollowOrder, FollowReport } from "./messages.ts";
import { Latencies } from "./percentiles.ts";

const { url, jobs, seconds } = workerData as FollowOrder; // `tracking` starts this program
/** Opened at once: a thousand handshakes in one moment measure the handshakes. */
const OPENING_MAX = 50;

const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
const latencies = new Latencies();
const streams: IncomingMessage[] = [];
let broken = 0;
let positions = 0;
let trips = 0;
let over = false;

function follow(jobId: string): Promise<void> {
  return new Promise((resolve) => {
    const request = get(`${url}/v1/jobs/${jobId}/stream`, { agent, headers: { accept: "text/event-stream" } }, (response) => {
      if (response.statusCode === 200) streams.push(response);
      else broken++;
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        rest += chunk;
        for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
          take(rest.slice(0, end));
          rest = rest.slice(end + 2);
        }
      });
      response.on("close", () => {
        if (!over && response.statusCode === 200) broken++;
      });
      resolve();
    });
    request.on("error", () => {
      if (!over) broken++;
      resolve();
    });
  });
}

function take(block: string): void {
  if (block.includes("event: trip")) trips++;
  if (!block.includes("event: position")) return;
  positions++;
  const at = Number(/"at":(\d+)\}/.exec(block)?.[1]);
  latencies.add(Date.now() - at);
}

for (let next = 0; next < jobs.length; next += OPENING_MAX) await Promise.all(jobs.slice(next, next + OPENING_MAX).map(follow));
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
over = true;
const report: FollowReport = { opened: streams.length, broken, positions, trips, latency: latencies.summary() };
parentPort?.postMessage(report);
for (const stream of streams) stream.destroy();
agent.destroy();
