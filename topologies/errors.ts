/** Conditions of the application's topologies. Each names the fact and the remedy; the source topic decides the reaction. */
export type TopologiesErrorCode = "PROTOCOL_BROKEN" | "POLICY_UNKNOWN" | "POLICY_INVALID";

export class TopologiesError extends Error {
  readonly code: TopologiesErrorCode;
  constructor(code: TopologiesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TopologiesError";
    this.code = code;
  }
}

/**
 * A record arrived in a state that the protocol excludes. Going on could lose a job for ever, so the task stops: the
 * records around it are in the internal topic and tell what happened.
 */
export class ProtocolBrokenError extends TopologiesError {
  readonly entity: string;
  readonly state: string;
  readonly input: string;
  constructor(entity: string, state: string, input: string) {
    super(
      "PROTOCOL_BROKEN",
      `${input} cannot arrive while ${entity} is ${state}: the dispatch protocol is broken. Keep the internal topics and report it.`,
    );
    this.name = "ProtocolBrokenError";
    this.entity = entity;
    this.state = state;
    this.input = input;
  }
}
