/** A login as the library takes it. */
import type { KafkaSasl } from "./security.ts";
import { readToken } from "./token-file.ts";

type Validator = (answer: Buffer, then: (error: Error | null, answer: Buffer) => void) => void;

export interface LibraryLogin {
  readonly mechanism: KafkaSasl["mechanism"];
  readonly username?: string;
  readonly password?: string;
  readonly token?: () => string | Promise<string>;
  readonly authBytesValidator?: Validator;
}

export function loginOf(sasl: KafkaSasl, now: () => number): LibraryLogin {
  if (sasl.mechanism !== "OAUTHBEARER") return sasl;
  const token = "tokenFile" in sasl ? (): Promise<string> => readToken(sasl.tokenFile, now) : sasl.token;
  return { mechanism: sasl.mechanism, token, authBytesValidator: refuseChallenge };
}

/** A broker that does not take a token answers without an error code, with a challenge; one that does answers with nothing. */
const refuseChallenge: Validator = (answer, then) => {
  const text = answer.toString("utf8");
  then(
    answer.length === 0
      ? null
      : new Error(`The broker does not take the token: ${/"status"\s*:\s*"(\w+)"/.exec(text)?.[1] ?? "no reason given"}.`),
    answer,
  );
};
