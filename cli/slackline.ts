/** The `slackline` command: verbs are put together here, errors become one sentence and an exit code. */
import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { configCommand } from "./commands/config.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { lagCommand } from "./commands/lag.ts";
import { resetCommand } from "./commands/reset.ts";
import { runCommand } from "./commands/run.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { stateCommand } from "./commands/state.ts";
import { topicCommand } from "./commands/topic.ts";
import { topologyCommand } from "./commands/topology.ts";
import { worldCommand } from "./commands/world.ts";
import { exitCodeOf } from "./errors.ts";
import { ExitCode } from "./exit-code.ts";

const HELP_END = `
First steps:
  slackline demo                                    a city in this process, nothing else needed
  slackline demo --kafka localhost:9092             the same on a Kafka
  slackline doctor                                  is this machine fit

Flags can be given by environment too: slackline config shows each value and where it came from.
Exit codes: 0 ok, 1 failed or a threshold missed, 2 usage, 3 cannot reach.`;

/** Runs the command line and leaves its exit status in `process.exitCode`. */
export async function slackline(argv: readonly string[]): Promise<void> {
  // Whoever reads our output may have seen enough: `… | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(ExitCode.ok);
    throw error;
  });
  try {
    await program().parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function program(): Command {
  const root = new Command("slackline")
    .description("Kafka Streams for Node.js, and a geo-dispatch engine on it.")
    .configureHelp({ sortSubcommands: false })
    .addHelpText("after", HELP_END);
  for (const add of [
    simulateCommand,
    demoCommand,
    runCommand,
    worldCommand,
    topicCommand,
    stateCommand,
    topologyCommand,
    lagCommand,
    resetCommand,
    configCommand,
    doctorCommand,
  ])
    add(root);
  throwInsteadOfExit(root);
  return root;
}

/** A subcommand does not take it over from its parent. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(throwInsteadOfExit);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage; // it has printed its own words
  process.stderr.write(`${sentence(error)}\n`);
  return exitCodeOf(error);
}

/** Conditions are for the person who reads them; of a bug everything is told. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  if (code === "" || code.startsWith("ERR_")) return error.stack ?? error.message;
  return `${pc.red(code)} ${error.message.startsWith(`${code} `) ? error.message.slice(code.length + 1) : error.message}`;
}
