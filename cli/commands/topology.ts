import type { Command } from "commander";
import { dispatchTopology } from "../system/dispatch-topology.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

export function topologyCommand(program: Command): void {
  withSettings(program.command("topology").description("subtopologies, processors, stores and topics"), ["partitions"])
    .option("--mermaid", "as a Mermaid flowchart")
    .action((flags: CommonFlags & { readonly mermaid?: boolean }) => {
      const topology = dispatchTopology(Number(flags.settings().partitions.value));
      if (flags.json === true) console.log(JSON.stringify(topology.manifest()));
      else console.log(flags.mermaid === true ? topology.mermaid() : topology.describe());
    });
}
