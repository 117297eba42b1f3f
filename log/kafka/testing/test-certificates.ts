/** An authority of one test and what it signs; made by openssl when they are needed, and gone with their folder. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Undefined when certificates can be made; else why not. */
export function whyNoCertificates(): string | undefined {
  return spawnSync("openssl", ["version"]).status === 0 ? undefined : "there is no openssl to make certificates";
}

export interface TestCertificate {
  /** Key and chain in one PEM file, as a broker takes it for its key store. */
  readonly keyStoreFile: string;
}

export class TestAuthority {
  readonly #directory: string;
  readonly #name: string;

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  /** The files lie in `directory`, which is the caller's. */
  static async create(directory: string, name = "authority"): Promise<TestAuthority> {
    const authority = new TestAuthority(directory, name);
    const [key, certificate] = [authority.#file(`${name}.key`), authority.#file(`${name}.pem`)];
    const subject = ["-subj", `/CN=${name} of a test`, "-addext", "basicConstraints=critical,CA:TRUE"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", ...subject]);
    return authority;
  }

  /** PEM of what clients trust. */
  get ca(): string {
    return readFileSync(this.#file(`${this.#name}.pem`), "utf8");
  }

  /** Good for 127.0.0.1 unless another host is named; `expired`: since yesterday no more. */
  async sign(name: string, options: { readonly expired?: boolean; readonly host?: string } = {}): Promise<TestCertificate> {
    const { expired = false, host } = options;
    const [key, request, certificate] = [this.#file(`${name}.key`), this.#file(`${name}.csr`), this.#file(`${name}.crt`)];
    await run("openssl", ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", `/CN=${name}`]);
    const settings = this.#file(`${name}.cnf`);
    writeFileSync(settings, this.#signingSettings(host === undefined ? "IP:127.0.0.1" : `DNS:${host}`));
    const day = 86_400_000;
    const from = timeOf(Date.now() - 3 * day);
    const until = timeOf(Date.now() + (expired ? -day : day));
    const dates = ["-startdate", from, "-enddate", until];
    await run("openssl", ["ca", "-batch", "-notext", "-config", settings, "-in", request, "-out", certificate, ...dates]);
    const keyStoreFile = this.#file(`${name}.keystore.pem`);
    writeFileSync(keyStoreFile, `${readFileSync(key, "utf8")}${readFileSync(certificate, "utf8")}${this.ca}`, { mode: 0o600 });
    return { keyStoreFile };
  }

  /** `openssl ca` alone signs for days that are over. */
  #signingSettings(alternativeName: string): string {
    const index = this.#file(`${this.#name}.index`);
    writeFileSync(index, "");
    return `[ca]
default_ca = this
[this]
new_certs_dir = ${this.#directory}
database = ${index}
rand_serial = yes
certificate = ${this.#file(`${this.#name}.pem`)}
private_key = ${this.#file(`${this.#name}.key`)}
default_md = sha256
policy = any
unique_subject = no
x509_extensions = server
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
subjectAltName = ${alternativeName}
extendedKeyUsage = serverAuth
`;
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}

/** As openssl writes a time: YYYYMMDDHHMMSSZ. */
function timeOf(at: number): string {
  return `${new Date(at).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}Z`;
}
