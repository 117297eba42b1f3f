/** Kafka's own jars by Maven, and Java to run them. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const cachedClassPath = join(here, "../../../node_modules/.cache/kafka-for-tests.classpath");
const JAVA_MIN = 17;
const run = promisify(execFile);

/** Argument of `java`: warnings and errors to the standard output. */
export const JAVA_LOGGING = `-Dlog4j2.configurationFile=${join(here, "log4j2.xml")}`;

/** Undefined when the jars can be had and run; else why not, in words. */
export function whyNoJars(): string | undefined {
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? "")?.[1] ?? 0);
  if (version < JAVA_MIN) return `there is no Java ${JAVA_MIN}`;
  if (existsSync(cachedClassPath)) return undefined;
  if (spawnSync("mvn", ["-version"]).status !== 0) return "there is no Maven to fetch Kafka's jars";
  return undefined;
}

/** Of the jars; "unknown" before they were fetched. */
export function kafkaVersion(): string {
  const known = existsSync(cachedClassPath) ? readFileSync(cachedClassPath, "utf8") : "";
  return /kafka_2\.\d+-(\d[\w.]*)\.jar/.exec(known)?.[1] ?? "unknown";
}

/** For `java -cp`; the first call fetches what is missing. Broker, clients and admin are in it. */
export async function kafkaClassPath(): Promise<string> {
  if (existsSync(cachedClassPath)) {
    const known = readFileSync(cachedClassPath, "utf8").trim();
    if (known.split(delimiter).every((jar) => existsSync(jar))) return known;
  }
  mkdirSync(dirname(cachedClassPath), { recursive: true });
  const pom = join(here, "pom.xml");
  await run("mvn", ["-B", "-q", "-f", pom, "dependency:build-classpath", `-Dmdep.outputFile=${cachedClassPath}`]);
  return readFileSync(cachedClassPath, "utf8").trim();
}
