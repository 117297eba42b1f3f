/** Every setting of the command: its flag, its environment variable, its default, and where the value in force came from. */
import { CliError } from "./errors.ts";

export type SettingSource = "flag" | "environment" | "default";

export interface Setting {
  readonly name: SettingName;
  readonly value: string;
  readonly source: SettingSource;
  readonly flag: string;
  readonly variable: string;
  readonly meaning: string;
}

interface Definition {
  readonly variable: string;
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed?: readonly string[];
  /** Whole numbers, both ends allowed. */
  readonly range?: readonly [least: number, most: number];
}

const definitions = {
  dir: { variable: "SLACKLINE_DIR", fallback: ".slackline", meaning: "folder of the database" },
  disk: {
    variable: "SLACKLINE_DISK",
    fallback: "auto",
    meaning: "storage engine",
    allowed: ["auto", "rocksdb", "classic-level", "memory"],
  },
  durability: {
    variable: "SLACKLINE_DURABILITY",
    fallback: "power",
    meaning: "commits survive loss of power, or only the death of the process",
    allowed: ["power", "process"],
  },
  threads: { variable: "SLACKLINE_THREADS", fallback: "1", meaning: "stream threads", range: [1, 64] },
  partitions: { variable: "SLACKLINE_PARTITIONS", fallback: "4", meaning: "partitions of each topic when it is created", range: [1, 1024] },
  port: { variable: "PORT", fallback: "7400", meaning: "HTTP port; the next free one if it is taken", range: [0, 65_535] },
  host: { variable: "HOST", fallback: "127.0.0.1", meaning: "HTTP address" },
  "log-level": {
    variable: "LOG_LEVEL",
    fallback: "warn",
    meaning: "least severe line that is logged",
    allowed: ["debug", "info", "warn", "error", "silent"],
  },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof definitions;
export type Settings = Readonly<Record<SettingName, Setting>>;

export const settingNames = Object.keys(definitions).filter((name): name is SettingName => name in definitions);

export function definitionOf(name: SettingName): Definition {
  return definitions[name];
}

/** Flag before environment before default. Throws CliError `USAGE` that names every bad value at once. */
export function readSettings(
  flags: Readonly<Record<string, string | number | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const problems: string[] = [];
  const entries = settingNames.map((name): [SettingName, Setting] => {
    const definition = definitionOf(name);
    const flagged = flags[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    const given = environment[definition.variable];
    const [value, source]: [string, SettingSource] =
      flagged !== undefined
        ? [String(flagged), "flag"]
        : given !== undefined && given !== ""
          ? [given, "environment"]
          : [definition.fallback, "default"];
    const problem = problemWith(value, definition);
    if (problem !== undefined) problems.push(`${source === "environment" ? definition.variable : `--${name}`}: ${problem}`);
    return [name, { name, value, source, flag: `--${name}`, variable: definition.variable, meaning: definition.meaning }];
  });
  if (problems.length > 0) throw new CliError("USAGE", problems.join("\n"));
  return Object.fromEntries(entries) as Settings; // every name is among the entries, by construction
}

function problemWith(value: string, definition: Definition): string | undefined {
  if (definition.allowed !== undefined && !definition.allowed.includes(value))
    return `"${value}" is not one of ${definition.allowed.join(", ")}`;
  if (definition.range !== undefined) {
    const [least, most] = definition.range;
    const number = Number(value);
    if (!Number.isInteger(number) || number < least || number > most) return `"${value}" is not a whole number from ${least} to ${most}`;
  }
  return value === "" ? "must not be empty" : undefined;
}
