/** What is deployed fits the code: no daemon is needed, files are parsed and the image's program is started as the image has it. */
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { startServer, type Inspector } from "#api";
import { metricsText, StreamsMetrics } from "#streams";
import { generatedFiles } from "./write-files.ts";

type Tree = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a parsed file, whose fields the test asks for

const read = (path: string): string => readFileSync(path, "utf8");
const documents = (path: string): readonly Tree[] => parseAllDocuments(read(path)).map((each) => each.toJS() as Tree);
const pinned = /^[\w./-]+:v?\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

test("files that follow from the code are up to date (else: npx node deploy/write-files.ts)", () => {
  for (const [path, text] of Object.entries(generatedFiles())) {
    const kept = read(join("deploy", path));
    // The formatter breaks the lines of JSON otherwise.
    if (path.endsWith(".json")) expect(JSON.parse(kept), path).toEqual(JSON.parse(text));
    else expect(kept, path).toBe(text);
  }
});

describe("docker-compose.yml", () => {
  const compose = parse(read("docker-compose.yml"), { merge: true }) as Tree;
  const services = Object.entries<Tree>(compose["services"]);

  test("every image is pinned, every lasting service is checked, every port is the loopback's", () => {
    for (const [name, service] of services) {
      expect(service["image"], name).toMatch(pinned);
      expect(service["healthcheck"], name).toBeDefined();
      for (const port of service["ports"] ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
    expect(services.map(([name]) => name)).toEqual(
      expect.arrayContaining(["kafka", "registry", "topics", "slackline-1", "slackline-2", "prometheus", "grafana"]),
    );
  });

  test("whatever a service waits for or mounts is there", () => {
    for (const [name, service] of services) {
      for (const other of Object.keys(service["depends_on"] ?? {})) expect(Object.keys(compose["services"]), name).toContain(other);
      for (const volume of service["volumes"] ?? []) {
        const [source = ""] = String(volume).split(":");
        if (source.startsWith("./")) expect(readdirSync(dirname(source)), name).toContain(source.split("/").at(-1));
        else expect(Object.keys(compose["volumes"]), name).toContain(source);
      }
    }
  });

  test("its settings are settings of the command", { timeout: 120_000 }, async () => {
    const { SLACKLINE_TOKENS: _, ...environment } = compose["services"]["slackline-1"]["environment"] as Record<string, string>;
    const rows = JSON.parse(await slackline(process.cwd(), ["config", "--json"], environment)) as readonly Tree[];
    const set = rows.filter(({ source }) => source === "environment").map(({ variable }) => variable as string);
    expect(Object.keys(environment).filter((name) => !set.includes(name))).toEqual([]);
  });
});

describe("deploy/kubernetes", () => {
  const all = documents("deploy/kubernetes/slackline.yaml");
  const of = (kind: string): Tree => {
    const found = all.find((each) => each["kind"] === kind);
    if (found === undefined) throw new Error(`there is no ${kind}`);
    return found;
  };

  test("every resource has what the API asks for, and selectors find the pods", () => {
    for (const { apiVersion, kind, metadata } of all)
      expect([apiVersion, kind, metadata?.name].every((each) => typeof each === "string")).toBe(true);
    const set = of("StatefulSet")["spec"];
    const labels = set.template.metadata.labels as Tree;
    expect(set.selector.matchLabels).toEqual(labels);
    expect(of("PodDisruptionBudget")["spec"].selector.matchLabels).toEqual(labels);
    for (const service of all.filter(({ kind }) => kind === "Service")) expect(service["spec"].selector).toEqual(labels);
    expect(all.filter(({ kind }) => kind === "Service").map(({ metadata }) => metadata.name)).toContain(set.serviceName);
  });

  test("an instance has its own volume, no rights it does not need, time to drain, and probes that are served", () => {
    const set = of("StatefulSet")["spec"];
    const pod = set.template.spec;
    const container = (pod.containers as readonly Tree[])[0] ?? {};
    expect(set.volumeClaimTemplates[0].metadata.name).toBe("state");
    expect(container["volumeMounts"]).toContainEqual({ name: "state", mountPath: "/data" });
    const volumes = [...pod.volumes, ...set.volumeClaimTemplates.map(({ metadata }: Tree) => metadata)].map(
      ({ name }: Tree) => name as string,
    );
    for (const { name } of container["volumeMounts"] as readonly Tree[]) expect(volumes).toContain(name);
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    expect(container["securityContext"]).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(Number(of("ConfigMap")["data"].SLACKLINE_SHUTDOWN_TIMEOUT_MS));
    expect(container["livenessProbe"].httpGet.path).toBe("/livez");
    expect(container["readinessProbe"].httpGet.path).toBe("/readyz");
  });

  test("its settings are settings of the command, and stand together", async () => {
    const { SLACKLINE_TOKENS_FILE: _, ...data } = of("ConfigMap")["data"] as Record<string, string>;
    const password = join(scratch, "password");
    cpSync("LICENSE", password);
    const environment = {
      ...data,
      KAFKA_SASL_PASSWORD_FILE: password,
      SLACKLINE_INSTANCE_TOKEN_FILE: password,
      SLACKLINE_ADVERTISE: "slackline-0.slackline-instances:7400",
    };
    const printed = await slackline(process.cwd(), ["config", "--json"], environment);
    expect(printed).not.toContain("Apache License");
    const sources = new Map((JSON.parse(printed) as readonly Tree[]).map(({ name, source }) => [name as string, source as string]));
    expect([sources.get("kafka-password"), sources.get("kafka-sasl"), sources.get("advertise")]).toEqual([
      "file",
      "environment",
      "environment",
    ]);
  });

  test("topics are Strimzi's, one for each of the table, and the user may do nothing to others", () => {
    const topics = documents("deploy/kubernetes/topics.yaml");
    for (const { apiVersion, kind, metadata, spec } of topics) {
      expect([apiVersion, kind]).toEqual(["kafka.strimzi.io/v1", "KafkaTopic"]);
      expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
      expect(metadata.labels["strimzi.io/cluster"]).toBeTypeOf("string");
      expect(spec).toMatchObject({ topicName: metadata.name, replicas: 3 });
      expect(spec.config["cleanup.policy"]).toBe(
        metadata.name.endsWith("-changelog") || metadata.name === "dispatch.policies.v1" ? "compact" : "delete",
      );
    }
    const [user] = documents("deploy/kubernetes/user.yaml");
    const acls = user?.["spec"].authorization.acls as readonly Tree[];
    expect(acls.every(({ resource }) => resource.name !== "*" && resource.type !== "cluster")).toBe(true);
    const mayNot = topics.filter(({ metadata }) =>
      acls.every(({ resource }) =>
        resource.patternType === "prefix" ? !metadata.name.startsWith(resource.name) : resource.name !== metadata.name,
      ),
    );
    expect(mayNot).toEqual([]);
    expect(acls).toContainEqual(
      expect.objectContaining({ resource: { type: "transactionalId", name: "slackline-dispatch-", patternType: "prefix" } }),
    );
  });
});

test("each query of dashboard and alarms names a metric that an instance exports", async () => {
  const exported = await exportedMetrics();
  const board = JSON.parse(read("deploy/grafana/dashboards/slackline.json")) as { readonly panels: readonly Tree[] };
  const rules = parse(read("deploy/prometheus/alarms.yml")) as Tree;
  const queries = [
    ...board.panels.flatMap(({ targets = [] }) => (targets as readonly Tree[]).map(({ expr }) => expr as string)),
    ...rules["groups"][0].rules.map(({ expr }: Tree) => expr as string),
  ];
  expect(queries.length).toBeGreaterThan(20);
  const named = new Set(queries.flatMap((query) => query.match(/\bslackline_\w+/g) ?? []));
  const unknown = [...named].filter((name) => !exported.has(name) && !exported.has(name.replace(/_(?:bucket|count|sum)$/, "")));
  expect(unknown).toEqual([]);
  for (const rule of rules["groups"][0].rules as readonly Tree[])
    expect(rule).toMatchObject({
      labels: { severity: expect.stringMatching(/^(?:warn|page)$/) },
      annotations: { remedy: expect.any(String) },
    });
});

describe("the image", () => {
  const dockerfile = read("Dockerfile");

  test("is built in two stages on pinned Node 24, and runs as nobody special", () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base = ""]) => base);
    expect(bases).toHaveLength(2);
    const { devDependencies } = JSON.parse(read("package.json")) as { readonly devDependencies: Readonly<Record<string, string>> };
    for (const base of bases) expect(base).toBe(`node:${devDependencies["node"]}-bookworm-slim`);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK .*livez/m);
  });

  test(
    "has everything that its start commands need: the files it copies, and production dependencies alone",
    { timeout: 60_000 },
    async () => {
      const app = join(scratch, "app");
      mkdirSync(app);
      const ignored = /\.test\.ts$|\/testing$|\/fixtures$|\/node_modules$/;
      for (const [, sources = ""] of dockerfile.matchAll(/^COPY (?!--from)(.+) \.\S*$/gm)) {
        for (const source of sources.split(" ").filter((each) => each !== "package-lock.json" && each !== ".npmrc"))
          cpSync(source, join(app, source), { recursive: true, filter: (path) => !ignored.test(path) });
      }
      const { packages } = JSON.parse(read("package-lock.json")) as {
        readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
      };
      for (const [path, { dev }] of Object.entries(packages)) {
        if (dev === true || !/^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)) continue;
        mkdirSync(dirname(join(app, path)), { recursive: true });
        symlinkSync(resolve(path), join(app, path));
      }
      const [, entry = "[]"] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
      expect(JSON.parse(entry)).toEqual(["node", "cli/main.ts"]);
      // What compose starts, where no broker is named: it says so instead of missing a file.
      const refused = await slackline(app, ["run"]).catch((error: { readonly stderr: string }) => error.stderr);
      expect(refused).toContain("KAFKA_BROKERS");
      expect(await drained(app, ["run", "--log", "embedded", "--port", "0", "--dir", join(scratch, "data")])).toEqual({
        ran: true,
        code: 0,
      });
    },
  );
});

/** Starts the command, ends it by SIGTERM once it says that it runs. */
function drained(folder: string, args: readonly string[]): Promise<{ readonly ran: boolean; readonly code: number | null }> {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, ["cli/main.ts", ...args], {
    cwd: folder,
    env: { PATH, HOME },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const before = told.includes('"msg":"running"');
    told += text;
    // Once: the second signal would end it at once.
    if (!before && told.includes('"msg":"running"')) child.kill("SIGTERM");
  });
  return new Promise((done) => {
    child.once("close", (code) => done({ ran: told.includes('"msg":"drained"'), code }));
  });
}

const scratch = mkdtempSync(join(tmpdir(), "slackline-deploy-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));

async function slackline(folder: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { PATH = "", HOME = "" } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ["cli/main.ts", ...args], {
    cwd: folder,
    env: { PATH, HOME, ...environment },
  });
  return stdout;
}

async function exportedMetrics(): Promise<ReadonlySet<string>> {
  const streams = new StreamsMetrics();
  const { collectDefaultMetrics } = await import("prom-client");
  collectDefaultMetrics({ register: streams.registry, prefix: "slackline_" });
  // Only its metrics are asked for.
  const inspector = {} as Inspector;
  await using server = await startServer({
    inspector,
    access: { kind: "open" },
    health: { ready: () => ({ ready: true, reason: "" }) },
    metrics: () => metricsText(streams.registry),
    port: 0,
  });
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = ""]) => name));
}
