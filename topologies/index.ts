export type * from "./matching/policy.ts";
export * from "./topics.ts";
export * from "./default-policy.ts";
export * from "./errors.ts";
export { policies } from "./matching/policies/policies.ts";
