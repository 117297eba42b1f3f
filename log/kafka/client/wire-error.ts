/** No answer came, so there is no code; whether the request took effect is not known unless `sent` is false. */
export type WireFailure = "unreachable" | "no-answer" | "malformed" | "refused";

export class WireError extends Error {
  /** `unreachable`: nothing was sent. `no-answer`: it may have taken effect. `malformed`: the answer cannot be read. `refused`: login or TLS failed. */
  readonly failure: WireFailure;

  constructor(failure: WireFailure, message: string, cause: unknown) {
    super(message, { cause });
    this.name = "WireError";
    this.failure = failure;
  }
}
