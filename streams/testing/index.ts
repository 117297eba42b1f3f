export { TopologyTestDriver } from "./topology-test-driver.ts";
export type { OutputRecord, PipeOptions, TopologyTestDriverOptions } from "./topology-test-driver.ts";
export type { DeadLetter } from "./dead-letter-record.ts";
