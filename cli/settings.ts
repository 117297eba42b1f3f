/** The settings in force, and where each came from. */
import { readFileSync } from "node:fs";
import { CliError } from "./errors.ts";
import { checkTogether, forbiddenVariables, unknownVariables } from "./setting-rules.ts";
import { definitionOf, settingNames, type Definition, type SettingName } from "./setting-definitions.ts";

export type SettingSource = "flag" | "environment" | "file" | "default";

export interface Setting {
  readonly name: SettingName;
  /** Empty when there is none. Of a secret too: what shows settings shows `shown`. */
  readonly value: string;
  /** Stars in place of a secret. */
  readonly shown: string;
  readonly source: SettingSource;
  readonly flag: string;
  readonly variable: string;
  readonly meaning: string;
}

export type Settings = Readonly<Record<SettingName, Setting>>;
export type Environment = Readonly<Record<string, string | undefined>>;

interface Given {
  readonly value: string;
  readonly source: SettingSource;
  /** As the person wrote it: what a complaint names. */
  readonly name: string;
}

/** Flag before environment before default. Throws CliError `USAGE` that names every problem at once, by the names that were given. */
export function readSettings(flags: Readonly<Record<string, string | number | boolean | undefined>>, environment: Environment): Settings {
  const problems: string[] = [...forbiddenVariables(environment), ...unknownVariables(environment)];
  const given = new Map<SettingName, Given>();
  for (const name of settingNames) {
    const definition = definitionOf(name);
    const found = find(name, definition, flags, environment, problems);
    const problem = problemWith(found.value, definition, found.source);
    if (problem !== undefined) problems.push(`${found.name}: ${problem}`);
    given.set(name, found);
  }
  const value = (name: SettingName): string => given.get(name)?.value ?? "";
  problems.push(...checkTogether(value, (name) => given.get(name)?.name ?? `--${name}`));
  if (problems.length > 0) throw new CliError("USAGE", problems.join("\n"));
  const entries = [...given].map(([name, found]): [SettingName, Setting] => [name, settingOf(name, found)]);
  return Object.fromEntries(entries) as Settings; // every name is among the entries, by construction
}

/** Whole number of a setting that has a range. */
export function numberOf({ value }: Setting): number | undefined {
  return value === "" ? undefined : Number(value);
}

function settingOf(name: SettingName, { value, source }: Given): Setting {
  const { variables, meaning, secret } = definitionOf(name);
  const flag = secret === true ? "" : `--${name}`;
  return {
    name,
    value,
    shown: secret === true && value !== "" ? "********" : withoutPassword(value),
    source,
    flag,
    variable: variables[0],
    meaning,
  };
}

function find(
  name: SettingName,
  definition: Definition,
  flags: Readonly<Record<string, string | number | boolean | undefined>>,
  environment: Environment,
  problems: string[],
): Given {
  const flagged = definition.secret === true ? undefined : flags[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
  if (flagged !== undefined) return { value: normal(String(flagged), definition), source: "flag", name: `--${name}` };
  for (const variable of definition.variables) {
    const value = environment[variable];
    if (value !== undefined && value !== "") return { value: normal(value, definition), source: "environment", name: variable };
    if (definition.secret !== true) continue;
    const file = environment[`${variable}_FILE`];
    if (file === undefined || file === "") continue;
    return { value: readSecret(`${variable}_FILE`, file, problems), source: "file", name: `${variable}_FILE` };
  }
  return { value: definition.fallback, source: "default", name: `--${name}` };
}

function normal(value: string, definition: Definition): string {
  if (definition.switch !== true) return value;
  if (/^(?:yes|true|1|on)$/i.test(value)) return "yes";
  return /^(?:no|false|0|off)$/i.test(value) ? "no" : value;
}

function readSecret(variable: string, file: string, problems: string[]): string {
  try {
    return readFileSync(file, "utf8").trimEnd();
  } catch (error) {
    problems.push(`${variable}: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return "";
  }
}

function problemWith(value: string, definition: Definition, source: SettingSource): string | undefined {
  const { allowed, range, fallback } = definition;
  if (value === "" && fallback === "" && source !== "flag") return undefined;
  if (value === "") return "must not be empty";
  if (allowed !== undefined && !allowed.includes(value)) return `"${value}" is not one of ${allowed.join(", ")}`;
  if (range === undefined) return undefined;
  const [least, most] = range;
  const number = Number(value);
  return Number.isInteger(number) && number >= least && number <= most
    ? undefined
    : `"${value}" is not a whole number from ${least} to ${most}`;
}

/** Somebody may have written one into an address; it is refused elsewhere, and shown nowhere. */
function withoutPassword(value: string): string {
  return value.replace(/(?<=:\/\/)[^/@]*@/, "********@");
}
