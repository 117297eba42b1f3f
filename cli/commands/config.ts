import type { Command } from "commander";
import { settingNames } from "../setting-definitions.ts";
import { table } from "../terminal/table.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

export function configCommand(program: Command): void {
  withSettings(program.command("config").description("every setting, its value and where it came from"), settingNames).action(
    (flags: CommonFlags) => {
      const settings = flags.settings();
      const rows = settingNames.map((name) => settings[name]);
      if (flags.json === true)
        console.log(
          JSON.stringify(
            rows.map(({ name, shown, source, flag, variable, meaning }) => ({ name, value: shown, source, flag, variable, meaning })),
          ),
        );
      else
        console.log(
          table(
            ["setting", "value", "source", "variable", "meaning"],
            rows.map(({ name, flag, shown, source, variable, meaning }) => [flag === "" ? name : flag, shown, source, variable, meaning]),
          ),
        );
    },
  );
}
