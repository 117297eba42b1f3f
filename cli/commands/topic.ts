import type { Command } from "commander";
import { withInspector } from "../inspect/open-inspector.ts";
import { table } from "../terminal/table.ts";
import { wholeNumber, withSettings, type CommonFlags } from "./common-flags.ts";
import { topicsCommands } from "./topics.ts";

export function topicCommand(program: Command): void {
  const topic = program.command("topic").alias("topics").description("topics: created and checked on Kafka, listed and read in a folder");
  topicsCommands(topic);
  withSettings(topic.command("ls").description("topics with their partitions and records"), ["dir", "disk"]).action((flags: CommonFlags) =>
    withInspector(flags.settings(), async (inspector) => {
      const topics = await inspector.topics();
      if (flags.json === true) return console.log(JSON.stringify(topics));
      console.log(
        table(
          ["topic", "partitions", "cleanup", "records"],
          topics.map(({ name, partitions, cleanup, records }) => [name, partitions, cleanup, records]),
        ),
      );
    }),
  );
  withSettings(topic.command("tail").description("the newest records, decoded").argument("<topic>"), ["dir", "disk"])
    .option("--partition <n>", "only this partition", wholeNumber)
    .option("--last <n>", "records per partition, at most 1000", wholeNumber, 10)
    .action((name: string, flags: CommonFlags & { readonly partition?: number; readonly last: number }) =>
      withInspector(flags.settings(), async (inspector) => {
        const { partition, last } = flags;
        const records = await inspector.tail({ topic: name, last, ...(partition === undefined ? {} : { partition }) });
        for (const record of records) {
          if (flags.json === true) console.log(JSON.stringify(record));
          else
            console.log(
              `${record.partition}@${record.offset} ${new Date(record.timestamp).toISOString()} ${JSON.stringify(record.key)} ${JSON.stringify(record.value)}`,
            );
        }
      }),
    );
}
