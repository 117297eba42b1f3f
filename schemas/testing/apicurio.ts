/** A real registry for tests: the one that SCHEMA_REGISTRY_URL names, else Apicurio's own program by Maven on Java 17. */
import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface RealRegistry {
  readonly url: string;
  stop(): void;
}

const VERSION = "3.0.9";
const JAVA_MIN = 17;
const START_MS_MAX = 90_000;
const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
const folder = join(dirname(fileURLToPath(import.meta.url)), `../../node_modules/.cache/apicurio-registry-${VERSION}`);
const jar = join(folder, `apicurio-registry-app-${VERSION}-runner.jar`);
const run = promisify(execFile);

/** Undefined when a registry can be had; else why not, in words. */
export function whyNoRegistry(): string | undefined {
  if (process.env["SCHEMA_REGISTRY_URL"] !== undefined) return undefined;
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? "")?.[1] ?? 0);
  if (version < JAVA_MIN) return `SCHEMA_REGISTRY_URL is not set, and there is no Java ${JAVA_MIN} to run one`;
  if (existsSync(jar)) return undefined;
  if (spawnSync("mvn", ["-version"]).status !== 0) return "SCHEMA_REGISTRY_URL is not set, and there is no Maven to fetch one";
  return undefined;
}

/** Answers when it is returned; empty, unless it was somebody's before. Whoever starts it stops it. */
export async function startRealRegistry(): Promise<RealRegistry> {
  const named = process.env["SCHEMA_REGISTRY_URL"];
  if (named !== undefined) return { url: named, stop: () => undefined };
  await fetchJar();
  const [port, management] = [await freePort(), await freePort()];
  const child = spawn("java", ["-Xmx384m", "-jar", jar], {
    cwd: folder,
    env: {
      ...process.env,
      QUARKUS_HTTP_HOST: "127.0.0.1",
      QUARKUS_HTTP_PORT: String(port),
      QUARKUS_MANAGEMENT_HOST: "127.0.0.1",
      QUARKUS_MANAGEMENT_PORT: String(management),
    },
    stdio: "ignore",
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  await untilItAnswers(child, url);
  return {
    url,
    stop: () => {
      process.off("exit", kill);
      kill();
    },
  };
}

async function fetchJar(): Promise<void> {
  if (existsSync(jar)) return;
  mkdirSync(folder, { recursive: true });
  await run("mvn", ["-B", "-q", "dependency:get", `-Dartifact=${artifact}`, "-Dtransitive=false"]);
  const packed = join(homedir(), `.m2/repository/io/apicurio/apicurio-registry-app/${VERSION}/apicurio-registry-app-${VERSION}-all.tar.gz`);
  await run("tar", ["-xzf", packed, "-C", folder]);
}

async function untilItAnswers(child: ChildProcess, url: string): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  while (Date.now() < until && child.exitCode === null) {
    const answer = await fetch(`${url}/subjects`).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
  child.kill("SIGKILL");
  throw new Error(
    child.exitCode === null ? `the registry is not up after ${START_MS_MAX} ms` : `the registry ended with ${child.exitCode}`,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}
