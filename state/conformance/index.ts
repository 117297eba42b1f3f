export { diskBackend, stateConformance, type StateBackend, type StateConformanceOptions } from "./state-conformance.ts";
