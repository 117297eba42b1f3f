/** The Java anchor: jars by Maven, compiled into the cache, started like our side. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { SideOptions } from "./side-process.ts";

const run = promisify(execFile);
const here = join(dirname(fileURLToPath(import.meta.url)), "java");
const sources = join(here, "src", "anchor");
const cache = join(here, "../../../node_modules/.cache/kafka-streams-anchor");
const HEAP = ["-Xms256m", "-Xmx1g"];

/** Words for `spawn`, of a program that is compiled. */
export async function javaCommand({
  topology,
  brokers,
  applicationId,
  directory,
  input,
  output,
  threads,
  sessionMs,
}: SideOptions): Promise<readonly string[]> {
  const classPath = await compiled();
  const words = [topology, brokers.join(","), applicationId, directory, input, output, String(threads), String(sessionMs)];
  return ["java", ...HEAP, `-Dlog4j2.configurationFile=${join(here, "log4j2.xml")}`, "-cp", classPath, "anchor.Anchor", ...words];
}

async function compiled(): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const pathFile = join(cache, "classpath");
  if (!existsSync(pathFile))
    await run("mvn", ["-B", "-q", "-f", join(here, "pom.xml"), "dependency:build-classpath", `-Dmdep.outputFile=${pathFile}`]);
  const jars = readFileSync(pathFile, "utf8").trim();
  const files = readdirSync(sources).map((name) => join(sources, name));
  const done = join(cache, "anchor", "Anchor.class");
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (!existsSync(done) || statSync(done).mtimeMs < newest) await run("javac", ["-cp", jars, "-d", cache, ...files]);
  return `${cache}${delimiter}${jars}`;
}
