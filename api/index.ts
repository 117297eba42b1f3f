export { ApiError, type ApiErrorCode } from "./errors.ts";
export type { Inspector, PartitionLag, StoreRow, TopicRecord, TopicSummary } from "./inspector.ts";
export { localInspector, type LocalInspectorOptions } from "./local-inspector.ts";
export { remoteInspector } from "./remote-inspector.ts";
export type { Health, Readiness } from "./routes/health.ts";
export { startServer, type RunningServer, type ServerOptions } from "./server.ts";
