export type * from "./serde.ts";
export type * from "./store.ts";
export * from "./row-key.ts";
