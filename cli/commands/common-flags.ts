/** What every verb shares: `--json`, and the settings it reads, by flag or environment. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { connectionSettings, definitionOf, type SettingName } from "../setting-definitions.ts";
import { readSettings, type Settings } from "../settings.ts";

export interface CommonFlags {
  readonly json?: boolean;
  readonly settings: () => Settings;
}

/** Of flags that most people never need: behind the others in the help. */
const CONNECTION_GROUP = "Connection to Kafka and registry:";

/** Adds the flags and hands the action its settings, read when asked for. `json` off: the command prints nothing to be parsed. */
export function withSettings(command: Command, names: readonly SettingName[], { json = true }: { readonly json?: boolean } = {}): Command {
  if (json) command.option("--json", "machine-readable output");
  for (const name of names) {
    const option = optionOf(name);
    if (option !== undefined) command.addOption(option);
  }
  command.hook("preAction", (_, action) => {
    const given = action.opts<Record<string, string | number | boolean | undefined>>();
    action.setOptionValue("settings", () => readSettings(given, process.env));
  });
  return command;
}

/** Secrets have no flag: whoever lists processes would see them. */
function optionOf(name: SettingName): Option | undefined {
  const { meaning, variables, fallback, alias, secret, switch: isSwitch, allowed, range } = definitionOf(name);
  if (secret === true) return undefined;
  const flag = alias === undefined ? `--${name}` : `--${alias}, --${name}`;
  const choices = allowed === undefined || isSwitch === true ? "" : `: ${allowed.join(", ")}`;
  const told = `${meaning}${choices} (${variables.join(" or ")}${fallback === "" || isSwitch === true ? "" : `, default ${fallback}`})`;
  const option = new Option(isSwitch === true ? flag : `${flag} <${range === undefined ? "value" : "n"}>`, told);
  return connectionSettings.includes(name) ? option.helpGroup(CONNECTION_GROUP) : option;
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

/** `--migrate drop-store=NAME`, as often as stores are let go; its value is the list of their names. */
export function migrateOption(): Option {
  return new Option("--migrate <drop-store=NAME>", "go on although the topology has changed, without this store; may be repeated")
    .argParser((text, before: readonly string[]): readonly string[] => {
      const [, name] = /^drop-store=(.+)$/.exec(text) ?? [];
      if (name === undefined) throw new InvalidArgumentError("Not drop-store=NAME.");
      return [...before, name];
    })
    .default([]);
}
