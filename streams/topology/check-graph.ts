/** Everything that can be wrong with a topology before it runs, found at once. */
import type { StoreDescriptor } from "#state";
import type { Topic } from "../topic.ts";
import { MURMUR2_PARTITIONER } from "../partition-for.ts";
import type { TopologyNode } from "./node.ts";
import { serdeIds, storeKind } from "./store-shape.ts";
import { storeTopics } from "./store-topics.ts";
import type { DraftNode, TopologyGraph } from "./topology-graph.ts";

/** What Kafka takes as a topic name; store names become part of one (`<application>-<store>-changelog`). */
const legalName = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
const topicNameLengthMax = 249;
const storeNameLengthMax = 120;

/** One sentence per problem, in the order of declaration; empty when the topology is fine. */
export function checkGraph(graph: TopologyGraph): readonly string[] {
  return [
    ...graph.problems,
    ...emptiness(graph.nodes),
    ...duplicateNames(graph.nodes),
    ...topicProblems(graph.topics),
    ...storeProblems(graph.nodes),
    ...copartitionProblems(graph.nodes),
  ];
}

function emptiness(drafts: readonly DraftNode[]): string[] {
  if (drafts.some(({ node }) => node.kind === "source")) return [];
  return ["the topology is empty: begin with builder.stream(topic)"];
}

function duplicateNames(drafts: readonly DraftNode[]): string[] {
  const counts = new Map<string, number>();
  for (const { node } of drafts) counts.set(node.name, (counts.get(node.name) ?? 0) + 1);
  const problems: string[] = [];
  for (const [name, count] of counts) {
    if (name === "") problems.push("a step has an empty name: give it one");
    else if (count > 1) problems.push(`${count} steps are named "${name}": give each its own name`);
  }
  return problems;
}

function topicProblems(topics: readonly Topic<any, any>[]): string[] {
  const first = new Map<string, Topic<any, any>>();
  const problems = new Set<string>();
  for (const topic of topics) {
    const { name, partitions } = topic;
    if (!legalName.test(name) || name.length > topicNameLengthMax)
      problems.add(`topic name "${name}" is not legal: use at most ${topicNameLengthMax} of A-Z a-z 0-9 . _ -`);
    if (!Number.isInteger(partitions) || partitions < 1) problems.add(`topic ${name} has ${partitions} partitions: at least 1 is needed`);
    const known = first.get(name);
    if (known === undefined) first.set(name, topic);
    else if (known !== topic) {
      const [before, now] = [topicShape(known), topicShape(topic)];
      if (before !== now) problems.add(`topic ${name} is described in two ways, (${before}) and (${now}): share one descriptor`);
    }
  }
  return [...problems];
}

function topicShape({ key, value, partitions, partitioner, cleanup, onFailure }: Topic<any, any>): string {
  return `key ${key.id}, value ${value.id}, ${partitions} partitions by ${partitioner?.name ?? MURMUR2_PARTITIONER}, ${cleanup}, on failure ${onFailure}`;
}

function storeProblems(drafts: readonly DraftNode[]): string[] {
  const first = new Map<string, StoreDescriptor>();
  const problems = new Set<string>();
  for (const { node } of drafts) {
    if (node.kind !== "processor") continue;
    for (const store of node.stores) {
      if (!legalName.test(store.name) || store.name.length > storeNameLengthMax)
        problems.add(`store name "${store.name}" is not legal: use at most ${storeNameLengthMax} of A-Z a-z 0-9 . _ -`);
      const known = first.get(store.name);
      if (known === undefined) first.set(store.name, store);
      else if (known !== store) {
        const [before, now] = [storeShape(known), storeShape(store)];
        if (before !== now)
          problems.add(`store "${store.name}" is declared as (${before}) and as (${now}): use one descriptor or two names`);
      }
    }
  }
  return [...problems];
}

function storeShape(store: StoreDescriptor): string {
  return [storeKind(store), ...serdeIds(store)].join(", ");
}

/**
 * A store is filled from all topics that reach its processors, task by task: a key is found again only if each of them puts
 * it into the same partition. Steps that share no store may read topics of any count.
 */
function copartitionProblems(drafts: readonly DraftNode[]): string[] {
  const problems: string[] = [];
  const draftOf = new Map(drafts.map((draft) => [draft.node, draft]));
  const childrenOf = (node: TopologyNode): TopologyNode[] => draftOf.get(node)?.children.map((child) => child.node) ?? [];
  const nodes = drafts.map(({ node }) => node);
  for (const [store, topics] of storeTopics(nodes, childrenOf)) {
    const facts = [
      { what: "partition counts", of: (topic: Topic<any, any>) => String(topic.partitions) },
      { what: "partitioners", of: (topic: Topic<any, any>) => topic.partitioner?.name ?? MURMUR2_PARTITIONER },
      { what: "key serdes", of: (topic: Topic<any, any>) => topic.key.id },
    ];
    for (const { what, of } of facts) {
      if (new Set(topics.map(of)).size < 2) continue;
      const list = topics.map((topic) => `${topic.name} ${of(topic)}`).join(", ");
      problems.push(`store "${store}" is filled from topics with different ${what} (${list}): they must agree`);
    }
  }
  return problems;
}
