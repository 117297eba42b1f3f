/** The demo on the embedded log: world and application in one process, which is the whole system and dies as such. */
import { join } from "node:path";
import { checkStateFold } from "#cli";
import { proveSystem } from "./prove-system.ts";
import { SoakedProcess } from "./soaked-process.ts";
import { CLEAN, type SoakedSystem, type SoakedSystemOptions } from "./soaked-system.ts";

/** City seconds a second: some thousand records a second. */
const SPEED = 20;
const A_DAY_SECONDS = 86_400;
const PARTITIONS = 4;

export function embeddedSystem({ directory, seed }: SoakedSystemOptions): SoakedSystem {
  const state = join(directory, "state");
  const words = ["demo", "--dir", state, "--data", `city:${seed}`, "--speed", String(SPEED), "--seconds", String(A_DAY_SECONDS)];
  const only = new SoakedProcess({
    name: "demo",
    words: [...words, "--port", "0", "--partitions", String(PARTITIONS)],
    environment: {},
    directory: state,
    logs: join(directory, "logs"),
  });
  return {
    title: `the demo on the embedded log, city:${seed} at ${SPEED} city seconds a second, one process`,
    instances: [only],
    helpers: [],
    broker: undefined,
    start() {
      only.start();
      return Promise.resolve();
    },
    async finish() {
      const { status, signal } = await only.signal("SIGTERM");
      return status === CLEAN ? [] : [`demo ended with ${signal ?? `status ${status}`}: ${only.lastWords.slice(-600)}`];
    },
    prove: () =>
      proveSystem({ directory: state, kind: "auto", durability: "process", partitions: PARTITIONS }, async (system) => {
        const { violations } = await checkStateFold(system);
        return violations;
      }),
    [Symbol.asyncDispose]: async () => {
      await only.signal("SIGKILL");
      only.close();
    },
  };
}
