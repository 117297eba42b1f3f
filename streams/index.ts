export * from "./topic.ts";
export type * from "./processor.ts";
export type * from "./topology/node.ts";
export type * from "./dsl/builder.ts";
export type * from "./runtime/thread.ts";
export * from "./errors.ts";
