export { SimulatedCluster } from "./simulated-cluster.ts";
export type { ClientOptions, SimulatedClusterOptions } from "./simulated-cluster.ts";
export type { Fate, Moment, Network, RequestName } from "./simulated-wire.ts";
export { between, seededRandom } from "./seeded-random.ts";
export type { Random } from "./seeded-random.ts";
export { VirtualScheduler } from "./virtual-scheduler.ts";
export type { KafkaWire } from "../client/wire-contract.ts";
export type { Surroundings } from "../defaults.ts";
