/** The frozen result of a builder. */
import type { Topology, TopologyManifest } from "../dsl/builder.ts";
import { describeTopology } from "./describe.ts";
import { manifestOf } from "./manifest.ts";
import { mermaidOf } from "./mermaid.ts";
import type { Subtopology } from "./node.ts";

/** Made by StreamsBuilder only, after all checks. */
export class BuiltTopology implements Topology {
  readonly subtopologies: readonly Subtopology[];
  readonly #manifest: TopologyManifest;

  constructor(subtopologies: readonly Subtopology[]) {
    this.subtopologies = subtopologies;
    this.#manifest = manifestOf(subtopologies);
  }

  manifest(): TopologyManifest {
    return this.#manifest;
  }

  describe(): string {
    return describeTopology(this.subtopologies);
  }

  mermaid(): string {
    return mermaidOf(this.subtopologies);
  }
}
