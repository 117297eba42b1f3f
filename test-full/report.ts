/** The report: what was proved, of which state of the code, on which machine. */
import { cpus, totalmem } from "node:os";
import type { Entry } from "./ledger.ts";
import { markdownTable } from "./markdown.ts";
import type { Proof } from "./proof.ts";

export interface ProofState {
  readonly proof: Proof;
  readonly entries: readonly Entry[];
  /** Items that it has under the present options. */
  readonly itemCount: number;
  /** Why it did not run at all. */
  readonly skipped: string | undefined;
}

export interface ReportHead {
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly code: string;
  readonly codeChangedMeanwhile: boolean;
  readonly seed: number;
  readonly instances: number;
}

/** "held": every item there is has a good entry. */
export function verdictOf({ entries, itemCount, skipped }: ProofState): "held" | "FAILED" | "unfinished" | "not run" | "skipped" {
  if (entries.some(({ ok }) => !ok)) return "FAILED";
  if (skipped !== undefined) return "skipped";
  if (entries.length === 0) return "not run";
  return entries.length >= itemCount ? "held" : "unfinished";
}

export function reportText(head: ReportHead, states: readonly ProofState[]): string {
  const rows = states.map((state) => {
    const { proof, entries, itemCount } = state;
    const seconds = entries.reduce((sum, entry) => sum + entry.seconds, 0);
    const good = entries.filter(({ ok }) => ok).length;
    return [`[${proof.name}](#${proof.name})`, verdictOf(state), `${good} of ${itemCount}`, duration(seconds)];
  });
  const lines = [
    `# Long proofs of ${new Date(head.date).toISOString().slice(0, 10)}, commit ${head.code}`,
    "",
    `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}; seed ${head.seed}; ${head.instances} MDRP instances. Made by \`npm run test:full\`.`,
    ...(head.codeChangedMeanwhile
      ? ["", "**The sources changed while the proofs ran.** Run them again on a tree that nobody touches."]
      : []),
    "",
    ...markdownTable(["proof", "verdict", "items that held", "time of processes"], rows),
    ...states.flatMap(section),
  ];
  return `${lines.join("\n")}\n`;
}

function section(state: ProofState): readonly string[] {
  const { proof, entries, skipped } = state;
  const failures = entries.filter(({ ok }) => !ok);
  const told = entries.length === 0 ? [] : ["", ...proof.tell(entries)];
  return [
    "",
    `## ${proof.name}`,
    "",
    `${proof.claim.charAt(0).toUpperCase()}${proof.claim.slice(1)}: **${verdictOf(state)}**.${skipped === undefined ? "" : ` ${skipped}.`}`,
    ...told,
    ...failures.flatMap(({ item, facts }) => ["", `- ${item}: ${oneLine(String(facts["broken"] ?? ""))}`]),
  ];
}

function oneLine(text: string): string {
  return text.replaceAll(`${process.cwd()}/`, "").replaceAll(/\s+/g, " ").slice(0, 600);
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}
