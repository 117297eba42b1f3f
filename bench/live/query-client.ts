/** Asks at a fixed rate, whether or not answers have come: a server that stalls is charged for all who waited meanwhile. */
import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import type { QueryMessage, QueryOrder } from "./messages.ts";
import { Latencies } from "./percentiles.ts";

const { url, warmSeconds, seconds, perSecond, connections, paths } = workerData as QueryOrder; // `queries` starts this program
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const [warming, latencies] = [new Latencies(), new Latencies()];
const warmQuestions = warmSeconds * perSecond;
const say = (message: QueryMessage): void => parentPort?.postMessage(message);
let non2xx = 0;
let errors = 0;

function ask(path: string, dueAt: number, into: Latencies): Promise<void> {
  return new Promise((resolve) => {
    get(url + path, { agent }, (response) => {
      if (response.statusCode !== 200) non2xx++;
      response.resume().on("end", () => {
        into.add(performance.now() - dueAt);
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
for (let count = 0; count < warmQuestions + seconds * perSecond; count++) {
  if (count === warmQuestions) say({ kind: "warm" });
  const dueAt = begun + (count * 1_000) / perSecond;
  const wait = dueAt - performance.now();
  if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
  asked.push(ask(paths[count % paths.length] ?? "/livez", dueAt, count < warmQuestions ? warming : latencies));
}
await Promise.all(asked);
agent.destroy();
say({ kind: "done", latency: latencies.summary(), warming: warming.summary(), non2xx, errors });
