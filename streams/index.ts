export * from "./topic.ts";
export type * from "./processor.ts";
export type * from "./topology/node.ts";
export type * from "./dsl/builder.ts";
export type * from "./runtime/thread.ts";
export * from "./errors.ts";
export { StreamsBuilder } from "./dsl/streams-builder.ts";
export { encodeKey, partitionFor } from "./partition-for.ts";
export { murmur2 } from "./murmur2.ts";
