/** A proof: many items, each done in a process of its own, and the section of the report that its entries come to. Contract only. */
import type { Entry } from "./ledger.ts";

export interface ProofContext {
  /** Folders of MDRP instances; empty where no data is at hand. */
  readonly instances: readonly string[];
  readonly seed: number;
  /** Of the demo's process. */
  readonly demoKills: number;
  /** Of the small writer's. */
  readonly writerKills: number;
  /** "small": minutes instead of hours, where a proof has such a size. */
  readonly size: "full" | "small";
}

export interface Item<Job> {
  /** Names the item in ledger and report; the same for the same job. */
  readonly name: string;
  /** Plain JSON, handed to `prove` in another process. */
  readonly job: Job;
  /** About how long it takes on a machine of its own, where items differ much; for the progress. */
  readonly seconds?: number;
}

export interface Finding {
  readonly ok: boolean;
  /** Numbers and short texts for the report. `broken` tells what is wrong. */
  readonly facts: Readonly<Record<string, number | string>>;
}

export interface Proof<Job = unknown> {
  readonly name: string;
  /** What is proved, a sentence. */
  readonly claim: string;
  readonly needs: "instances" | "nothing";
  /** Default: one a core. */
  readonly processes?: number;
  /** An item that takes longer has failed. */
  readonly itemSecondsMax: number;
  /** A process for each item: what it leaves behind ends with it. */
  readonly freshProcesses?: true;
  /** Its report is a file of its own, with its name. */
  readonly ownReport?: true;
  items(context: ProofContext): readonly Item<Job>[];
  /** In a child process. What it throws is a failed item too. */
  prove(job: Job): Promise<Finding>;
  /** Markdown lines over all entries there are. */
  tell(entries: readonly Entry[]): readonly string[];
}
