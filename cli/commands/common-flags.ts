/** What every verb shares: `--json`, and the settings it reads, by flag or environment. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { definitionOf, readSettings, type SettingName, type Settings } from "../settings.ts";

export interface CommonFlags {
  readonly json?: boolean;
  readonly settings: () => Settings;
}

/** Adds the flags and hands the action its settings, read when asked for. */
export function withSettings(command: Command, names: readonly SettingName[]): Command {
  command.option("--json", "machine-readable output");
  for (const name of names) {
    const { meaning, variable, fallback } = definitionOf(name);
    command.addOption(new Option(`--${name} <value>`, `${meaning} (${variable}, default ${fallback})`));
  }
  command.hook("preAction", (_, action) => {
    const given = action.opts<Record<string, string | number | undefined>>();
    action.setOptionValue("settings", () => readSettings(given, process.env));
  });
  return command;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("Not a whole number of at least 0.");
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("Not a number above 0.");
  return value;
}
