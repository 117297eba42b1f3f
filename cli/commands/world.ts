/** `world`: couriers, customers and restaurants as foreign clients of a running application. */
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { prove, verdictLines } from "../proof/prove.ts";
import { runWorld } from "../world/run-world.ts";
import { connectionSettings } from "../setting-definitions.ts";
import { endSignal } from "../system/end-signals.ts";
import { openLogAlone } from "../system/open-log-alone.ts";
import { panel } from "../terminal/panel.ts";
import { positiveNumber, withSettings, type CommonFlags } from "./common-flags.ts";

interface WorldFlags extends CommonFlags {
  readonly data: string;
  readonly seconds?: number;
  readonly speed: number;
  readonly prove?: boolean;
}

export function worldCommand(program: Command): void {
  withSettings(
    program
      .command("world")
      .description("a city that behaves, on the Kafka that an application runs on; killed and started again it goes on without a double")
      .option("--data <city:SEED>", "a seeded city", "city:42")
      .option("--seconds <n>", "stop after so many seconds", positiveNumber)
      .option("--speed <x>", "city seconds a second", positiveNumber, 1)
      .option("--prove", "read the topics afterwards and check every invariant"),
    ["application", "partitions", "register-schemas", ...connectionSettings],
  ).action(world);
}

async function world({ settings: read, data, seconds, speed, prove: proves, json }: WorldFlags): Promise<void> {
  const told = endSignal();
  await using open = await openLogAlone(read());
  const screen = panel();
  const totals = await runWorld({
    log: open.log,
    topics: open.topics,
    data,
    speed,
    until: told,
    seconds,
    onPicture: (picture) => screen.draw([picture], picture),
  });
  screen.end();
  const verdicts = proves === true ? await prove(open.log, open.topics, { quiescent: false }) : [];
  const sound = verdicts.every(({ ok }) => ok);
  if (json === true) console.log(JSON.stringify({ ok: sound, ...totals, verdicts }));
  else {
    const { produced, tally, decisionMs } = totals;
    console.log(`${produced} records produced; jobs: ${tally.done} done, ${tally.assigned} under way, ${tally.waiting} waiting`);
    console.log(
      `order placed → driver assigned: p50 ${decisionMs.p50} ms, p95 ${decisionMs.p95} ms, p99 ${decisionMs.p99} ms of ${decisionMs.count}`,
    );
    if (verdicts.length > 0) console.log(verdictLines(verdicts).join("\n"));
  }
  if (!sound) throw new CliError("THRESHOLD_MISSED", "an invariant was broken; see above");
}
