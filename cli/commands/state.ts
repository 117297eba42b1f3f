import type { Command } from "commander";
import { withInspector } from "../inspect/open-inspector.ts";
import { CliError } from "../errors.ts";
import { wholeNumber, withSettings, type CommonFlags } from "./common-flags.ts";

interface RangeFlags extends CommonFlags {
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

export function stateCommand(program: Command): void {
  const state = program.command("state").description("committed state of a store");
  withSettings(state.command("get").description("one key").argument("<store>").argument("<key>"), ["dir", "disk"]).action(
    (store: string, key: string, flags: CommonFlags) =>
      withInspector(flags.settings(), async (inspector) => {
        const row = await inspector.get(store, key);
        if (row === undefined) throw new CliError("THRESHOLD_MISSED", `store ${store} has no committed value under "${key}"`);
        console.log(JSON.stringify(flags.json === true ? row : row.value, null, flags.json === true ? 0 : 2));
      }),
  );
  withSettings(state.command("range").description("keys in order, a JSON line each").argument("<store>"), ["dir", "disk"])
    .option("--from <key>", "first key")
    .option("--to <key>", "first key not shown")
    .option("--limit <n>", "rows, at most 1000", wholeNumber, 100)
    .action((store: string, flags: RangeFlags) =>
      withInspector(flags.settings(), async (inspector) => {
        const { from, to, limit } = flags;
        const rows = await inspector.range({ store, limit, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
        for (const row of rows) console.log(JSON.stringify(row));
      }),
    );
}
