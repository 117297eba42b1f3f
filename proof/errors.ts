/** A proof that cannot even begin: its evidence is missing or unreadable. What it finds in the evidence is its result, not an error. */
export type ProofErrorCode = "EVIDENCE_MISSING" | "EVIDENCE_MALFORMED";

export class ProofError extends Error {
  readonly code: ProofErrorCode;

  constructor(code: ProofErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProofError";
    this.code = code;
  }
}
