/** The `slackline` command: verbs are put together here, errors become one sentence and an exit code. */
import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { configCommand } from "./commands/config.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { lagCommand } from "./commands/lag.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { stateCommand } from "./commands/state.ts";
import { topicCommand } from "./commands/topic.ts";
import { topologyCommand } from "./commands/topology.ts";
import { CliError } from "./errors.ts";
import { ExitCode } from "./exit-code.ts";

const program = new Command("slackline")
  .description("Kafka Streams for Node.js, and a geo-dispatch engine on it.")
  .exitOverride()
  .configureHelp({ sortSubcommands: false });
for (const add of [simulateCommand, demoCommand, topicCommand, stateCommand, topologyCommand, lagCommand, configCommand, doctorCommand])
  add(program);
// Subcommands were made before exitOverride could reach them.
const override = (command: Command): void => {
  command.exitOverride();
  for (const child of command.commands) override(child);
};
override(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage; // it has printed its own words
  if (error instanceof CliError) {
    process.stderr.write(`${pc.red(error.code)} ${error.message}\n`);
    return error.exitCode;
  }
  const known = error instanceof Error && "code" in error && typeof error.code === "string";
  process.stderr.write(
    known
      ? `${pc.red(String(error.code))} ${error.message}\n`
      : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return ExitCode.failedThreshold;
}
