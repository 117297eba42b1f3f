/** Asks at a fixed rate, whether or not answers have come: a server that stalls is charged for all who waited meanwhile. */
import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import type { QueryOrder, QueryReport } from "./messages.ts";
import { Latencies } from "./percentiles.ts";

const { url, seconds, perSecond, connections, paths } = workerData as QueryOrder; // `queries` starts this program
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const latencies = new Latencies();
let non2xx = 0;
let errors = 0;

function ask(path: string, dueAt: number): Promise<void> {
  return new Promise((resolve) => {
    get(url + path, { agent }, (response) => {
      if (response.statusCode !== 200) non2xx++;
      response.resume().on("end", () => {
        latencies.add(performance.now() - dueAt);
        resolve();
      });
    }).on("error", () => {
      errors++;
      resolve();
    });
  });
}

const begun = performance.now();
const asked: Promise<void>[] = [];
for (let count = 0; count < seconds * perSecond; count++) {
  const dueAt = begun + (count * 1_000) / perSecond;
  const wait = dueAt - performance.now();
  if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
  asked.push(ask(paths[count % paths.length] ?? "/livez", dueAt));
}
await Promise.all(asked);
agent.destroy();
const report: QueryReport = { latency: latencies.summary(), non2xx, errors };
parentPort?.postMessage(report);
