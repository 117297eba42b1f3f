export type * from "./matching/policy.ts";
