export { WorldError } from "./errors.ts";
export type { WorldErrorCode, WorldErrorFacts } from "./errors.ts";
export { travelMinutes, truncate } from "./mdrp/instance.ts";
export type { MdrpCourier, MdrpInstance, MdrpOrder, MdrpParameters, MdrpRestaurant } from "./mdrp/instance.ts";
export { readInstance } from "./mdrp/read-instance.ts";
export { TINY_INSTANCE, generateInstance, instanceFiles } from "./mdrp/generate-instance.ts";
export type { GenerateInstanceOptions } from "./mdrp/generate-instance.ts";
