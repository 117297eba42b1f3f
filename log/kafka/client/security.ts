/** How the client proves who it is, and insists on knowing whom it talks to. Values come from environment or file, never from code. */
import { LogError } from "../../errors.ts";

export interface KafkaTls {
  /** PEM of the authority that signed the brokers' certificates; the system's authorities otherwise. */
  readonly ca?: string | Buffer;
  /** PEM of the client's own certificate and key, for mutual TLS. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
}

export type KafkaSasl =
  | { readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"; readonly username: string; readonly password: string }
  /** Asked at each login, and logins are renewed while the broker's time for them runs. */
  | { readonly mechanism: "OAUTHBEARER"; readonly token: () => string | Promise<string> }
  /** The same, out of a file: it travels to workers, where a function does not. */
  | { readonly mechanism: "OAUTHBEARER"; readonly tokenFile: string };

export interface KafkaSecurity {
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
}

const TLS_NAMES = new Set(["ca", "cert", "key", "passphrase"]);

/** Throws `LOG_UNAVAILABLE` for anything that would weaken TLS, and for passwords on an open line. Values are never named. */
export function checkSecurity({ tls, sasl }: KafkaSecurity): void {
  for (const name of Object.keys(tls ?? {}))
    if (!TLS_NAMES.has(name))
      throw new LogError(
        "LOG_UNAVAILABLE",
        `The TLS option "${name}" is refused: brokers are always verified. Give ca, cert, key or passphrase only.`,
      );
  if (tls === undefined && (sasl?.mechanism === "PLAIN" || sasl?.mechanism === "OAUTHBEARER"))
    throw new LogError("LOG_UNAVAILABLE", `SASL ${sasl.mechanism} would send its secret over an open line. Use TLS, or SCRAM.`);
}
