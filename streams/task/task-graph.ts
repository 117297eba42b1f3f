/** Turns the nodes of a subtopology, which are data, into the running processors of one task. */
import assert from "node:assert/strict";
import { TopologyError } from "../errors.ts";
import type { Processor } from "../processor.ts";
import type { Subtopology } from "../topology/node.ts";
import { NodeContext, type Downstream } from "./node-context.ts";
import type { TaskScope } from "./task-scope.ts";
import { TopicSink } from "./topic-sink.ts";

export interface TaskGraph {
  /** Topic → where its records begin. */
  readonly starts: ReadonlyMap<string, readonly Downstream[]>;
  readonly processors: readonly Processor<unknown, unknown>[];
}

/** Calls every supplier once. Throws what suppliers throw, and `TOPOLOGY_INVALID` when a timer store has no handler. */
export function buildGraph(subtopology: Subtopology, scope: TaskScope): TaskGraph {
  const running = new Map<string, Downstream>();
  const contexts = new Map<string, NodeContext>();
  const processors: Processor<unknown, unknown>[] = [];
  for (const node of subtopology.nodes) {
    if (node.kind === "sink") running.set(node.name, new TopicSink(node.topic, scope));
    if (node.kind !== "processor") continue;
    const context = new NodeContext(node, scope);
    const processor = node.supplier(context) as Processor<unknown, unknown>;
    contexts.set(node.name, context);
    running.set(node.name, processor);
    processors.push(processor);
  }
  const find = (name: string): Downstream => {
    const child = running.get(name);
    assert(child, `subtopology ${subtopology.name} has no node ${name}`);
    return child;
  };
  const starts = new Map<string, readonly Downstream[]>();
  for (const node of subtopology.nodes) {
    if (node.kind === "sink") continue;
    if (node.kind === "source") starts.set(node.topic.name, node.children.map(find));
    else for (const child of node.children) contexts.get(node.name)?.addChild(child, find(child));
  }
  requireHandlers(subtopology, scope);
  scope.open = true;
  return { starts, processors };
}

function requireHandlers(subtopology: Subtopology, scope: TaskScope): void {
  const without = subtopology.stores.filter(({ kind, name }) => kind === "timers" && !scope.timerHandlers.has(name));
  if (without.length > 0)
    throw new TopologyError(
      "TOPOLOGY_INVALID",
      without.map(({ name }) => `timer store ${name} of subtopology ${subtopology.name} has no handler: call context.onTimer`),
    );
}
