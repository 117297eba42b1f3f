import type { Command } from "commander";
import { withInspector } from "../inspect/open-inspector.ts";
import { table } from "../terminal/table.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

export function lagCommand(program: Command): void {
  withSettings(program.command("lag").description("how far the application is behind its sources"), ["dir", "disk"]).action(
    (flags: CommonFlags) =>
      withInspector(flags.settings(), async (inspector) => {
        const rows = await inspector.lag();
        if (flags.json === true) return console.log(JSON.stringify(rows));
        console.log(
          table(
            ["topic", "partition", "committed", "end", "lag"],
            rows.map(({ topic, partition, committed, end, records }) => [topic, partition, committed, end, records]),
          ),
        );
        console.log(`${rows.reduce((sum, { records }) => sum + records, 0)} records behind`);
      }),
  );
}
