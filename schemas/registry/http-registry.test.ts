/** The registry of others over HTTP: what each of its answers, and its silence, means for a record. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import foreign from "@kafkajs/confluent-schema-registry";
import { avroSerde } from "../avro/avro-serde.ts";
import { schemaText } from "../avro/schema-text.ts";
import { SerdeError } from "../errors.ts";
import { createSerdes } from "../serdes.ts";
import { subjects, topicSchemas } from "../subjects.ts";
import { type RegistryServer, startRegistryServer } from "../testing/registry-server.ts";
import { type HttpRegistry, httpRegistry } from "./http-registry.ts";
import { type CompiledSubject, loadHttpRegistry } from "./load-http-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const seen = { type: "record", name: "Seen", fields: [{ name: "id", type: "string" }] } as const;
const seenAt = { type: "record", name: "Seen", fields: [...seen.fields, { name: "at", type: "long", default: 0 }] } as const;
const broken = { type: "record", name: "Seen", fields: [...seen.fields, { name: "at", type: "long" }] } as const;
const compiled: CompiledSubject = { subject: "seen-value", schema: schemaText(seenAt), level: "BACKWARD" };
const topics: readonly CompiledSubject[] = subjects.map(({ subject, schema, compatibility }) => ({
  subject,
  schema: schemaText(schema),
  level: compatibility,
}));

let server: RegistryServer;
let time = 0;
beforeEach(async () => {
  server = await startRegistryServer();
  time = 0;
});
afterEach(() => server[Symbol.asyncDispose]());

const load = (list: readonly CompiledSubject[], register = false): ReturnType<typeof loadHttpRegistry> =>
  loadHttpRegistry({ endpoint: { url: server.url }, subjects: list, register });

async function opened(idsMax = 100): Promise<HttpRegistry> {
  const endpoint = { url: server.url, answerMsMax: 200 };
  return httpRegistry({ endpoint, loaded: await load([compiled], true), idsMax, now: () => time, random: () => 1 });
}

/** What the answer is once the registry has been asked behind the record. */
async function resolved(registry: HttpRegistry, id: number): Promise<string | SerdeError | undefined> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      return registry.schemaById(id);
    } catch (error) {
      if (!(error instanceof SerdeError)) throw error;
      if (!error.retriable) return error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  throw new Error("no answer");
}

const code = (registry: HttpRegistry, id: number): string => {
  try {
    return registry.schemaById(id) === undefined ? "none" : "schema";
  } catch (error) {
    return error instanceof SerdeError ? error.code : String(error);
  }
};

describe("at the start", () => {
  test("nothing is registered unless asked to: each missing schema is named, all at once", async () => {
    const error = await load(topics).catch((problem: unknown) => problem as SerdeError);
    expect(error).toMatchObject({ code: "UNKNOWN_SCHEMA" });
    for (const { subject } of subjects) expect((error as SerdeError).message).toContain(subject);
    expect((error as SerdeError).message).toContain("--register-schemas");
    expect(server.requests.filter((line) => !line.startsWith("GET"))).toEqual([]);
  });

  test("registers every topic with its level when asked to, and finds the same ids without asking again", async () => {
    const first = await load(topics, true);
    expect(first.map(({ subject, version }) => [subject, version])).toEqual(topics.map(({ subject }) => [subject, 1]));
    using client = new RegistryClient({ url: server.url });
    for (const { subject, level } of topics) expect(await client.compatibility(subject)).toBe(level);
    expect(await load(topics)).toEqual(first);
    using registry = httpRegistry({ endpoint: { url: server.url }, loaded: first });
    const serdes = createSerdes(registry);
    const bytes = Buffer.alloc(64);
    const tracked = { type: "JobTracked", jobId: "j", driverId: "d", attempt: 1, pickupEta: null, dropOffEta: 5, at: 1 } as const;
    const end = serdes.tracking.encode({ ...tracked, position: { latitude: 1, longitude: 2 } }, bytes, 0);
    expect(bytes.readUInt32BE(1)).toBe(registry.latest(topicSchemas.tracking.subject)?.id);
    expect(serdes.tracking.decode(bytes, 0, end)).toMatchObject(tracked);
  });

  test("loads every version of a subject, so that old data is read without a question", async () => {
    const old = server.plant("seen-value", schemaText(seen));
    using registry = httpRegistry({ endpoint: { url: server.url }, loaded: await load([compiled], true) });
    const asked = server.requests.length;
    expect(registry.schemaById(old)).toBe(schemaText(seen));
    expect(registry.latest("seen-value")).toMatchObject({ version: 2, schema: schemaText(seenAt) });
    expect(server.requests.length).toBe(asked);
  });

  test("keeps the state of each application under subjects of its own", async () => {
    const loaded = await load([{ ...compiled, remoteSubject: "app-seen-changelog-value" }], true);
    expect(loaded).toMatchObject([{ subject: "seen-value", schema: schemaText(seenAt) }]);
    expect(server.requests).toContain("POST /registry/subjects/app-seen-changelog-value/versions");
  });

  test("refuses a schema that cannot follow the registry's, and a level weaker than promised", async () => {
    server.plant("seen-value", schemaText(seen));
    const unfit = { ...compiled, schema: schemaText(broken) };
    await expect(load([unfit], true)).rejects.toMatchObject({ code: "SCHEMA_INCOMPATIBLE", message: expect.stringContaining("BACKWARD") });
    await load([compiled], true);
    using client = new RegistryClient({ url: server.url });
    await client.setCompatibility("seen-value", "BACKWARD");
    const full: CompiledSubject = { ...compiled, level: "FULL" };
    await expect(load([full])).rejects.toMatchObject({
      code: "SCHEMA_INCOMPATIBLE",
      message: expect.stringContaining("/config/seen-value"),
    });
    await client.setCompatibility("seen-value", "FULL_TRANSITIVE");
    await expect(load([full])).resolves.toHaveLength(2);
  });

  test("a registry that is down, hangs, is another server or does not know us is unavailable, with its address and without our password", async () => {
    for (const mood of ["down", "hangs", "page", "redirects", "huge"] as const) {
      server.mood = mood;
      const endpoint = { url: server.url, answerMsMax: 200, auth: { username: "user", password: "hush" } };
      const error = await loadHttpRegistry({ endpoint, subjects: [compiled] }).catch((problem: unknown) => problem as SerdeError);
      expect(error, mood).toMatchObject({ code: "REGISTRY_UNAVAILABLE", retriable: true });
      expect((error as SerdeError).message).toContain(server.url);
      expect((error as SerdeError).message).not.toContain("hush");
    }
    server.mood = "up";
    server.authorization = `Basic ${Buffer.from("user:secret").toString("base64")}`;
    await expect(load([compiled], true)).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: expect.stringContaining("password"),
    });
    const endpoint = { url: server.url, auth: { username: "user", password: "secret" } };
    await expect(loadHttpRegistry({ endpoint, subjects: [compiled], register: true })).resolves.toHaveLength(1);
    server.authorization = "Bearer token";
    await expect(loadHttpRegistry({ endpoint: { url: server.url, auth: { token: "token" } }, subjects: [compiled] })).resolves.toHaveLength(
      1,
    );
  });
});

describe("an id that was not loaded", () => {
  test("is asked for once, while the record waits, and then known", async () => {
    using registry = await opened();
    const id = server.plant("others-value", schemaText({ type: "record", name: "Other", fields: [] }));
    const asked = server.requests.length;
    expect([code(registry, id), code(registry, id)]).toEqual(["REGISTRY_UNAVAILABLE", "REGISTRY_UNAVAILABLE"]);
    expect(await resolved(registry, id)).toContain("Other");
    expect(server.requests.slice(asked)).toEqual([`GET /registry/schemas/ids/${id}`]);
  });

  test("that the registry does not have is UNKNOWN_SCHEMA for the record, and asked for again later", async () => {
    using registry = await opened();
    expect(await resolved(registry, 4_711)).toBeUndefined();
    const serde = avroSerde({ subject: "seen-value", schema: seenAt, registry });
    const frame = Buffer.from([0, 0, 0, 0x12, 0x67, 0]);
    expect(() => serde.decode(frame, 0, frame.length)).toThrow(expect.objectContaining({ code: "UNKNOWN_SCHEMA", retriable: false }));
    const asked = server.requests.length;
    expect(code(registry, 4_711)).toBe("none");
    expect(server.requests.length).toBe(asked);
    time += 20_000;
    expect(code(registry, 4_711)).toBe("REGISTRY_UNAVAILABLE");
    expect(await resolved(registry, 4_711)).toBeUndefined();
  });

  test.each(["down", "hangs", "page", "huge"] as const)(
    "while the registry %s: waits, asked for again after growing pauses, never unknown",
    async (mood) => {
      using registry = await opened();
      const id = server.plant("others-value", schemaText({ type: "record", name: "Other", fields: [] }));
      server.mood = mood;
      const asked = server.requests.length;
      const attempt = async (): Promise<void> => {
        const before = server.requests.length;
        code(registry, id);
        while (server.requests.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, mood === "hangs" ? 260 : 60));
      };
      await attempt();
      expect(code(registry, id)).toBe("REGISTRY_UNAVAILABLE");
      // Full jitter, drawn at its most: 50 ms after the first failure, 100 ms after the second.
      time = 49;
      expect(code(registry, id)).toBe("REGISTRY_UNAVAILABLE");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(server.requests.length - asked).toBe(1);
      time = 51;
      await attempt();
      time = 140;
      expect(code(registry, id)).toBe("REGISTRY_UNAVAILABLE");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(server.requests.length - asked).toBe(2);
      server.mood = "up";
      time = 200;
      expect(await resolved(registry, id)).toContain("Other");
    },
  );

  test("is forgotten when there are too many, the oldest first; loaded ones never", async () => {
    using registry = await opened(2);
    const ids = [1, 2, 3].map((n) => server.plant(`other-${n}-value`, schemaText({ type: "record", name: `Other${n}`, fields: [] })));
    for (const id of ids) await resolved(registry, id);
    const asked = server.requests.length;
    expect([code(registry, ids[1] as number), code(registry, ids[2] as number), code(registry, 1)]).toEqual(["schema", "schema", "schema"]);
    expect(server.requests.length).toBe(asked);
    expect(code(registry, ids[0] as number)).toBe("REGISTRY_UNAVAILABLE");
    await resolved(registry, ids[0] as number);
  });

  test.each([
    ["too long", { schema: JSON.stringify({ type: "record", name: "Long", doc: "x".repeat(65_536), fields: [] }) }],
    ["too deep", { schema: `${'{"type":"array","items":'.repeat(80)}"int"${"}".repeat(80)}` }],
    ["no Avro", { schema: "{}", schemaType: "PROTOBUF" }],
    ["in pieces", { schema: '"string"', references: [{ name: "a", subject: "b", version: 1 }] }],
    ["with a forbidden name", { schema: '{"type":"record","name":"__proto__","fields":[]}' }],
    ["no schema at all", { answer: 42 }],
  ])("whose schema is %s is the record's misfortune, and compiled by nobody", async (_name, body) => {
    using registry = await opened();
    server.plantRaw(77, body);
    expect(await resolved(registry, 77)).toMatchObject({ code: "SCHEMA_INVALID" });
    expect(code(registry, 77)).toBe("SCHEMA_INVALID");
  });

  test("whose schema this reader cannot follow is SCHEMA_INCOMPATIBLE for the record", async () => {
    using registry = await opened();
    const id = server.plant("seen-value", schemaText({ type: "record", name: "Seen", fields: [{ name: "id", type: "long" }] }));
    await resolved(registry, id);
    const serde = avroSerde({ subject: "seen-value", schema: seenAt, registry });
    const frame = Buffer.from([0, 0, 0, 0, id, 2]);
    expect(() => serde.decode(frame, 0, frame.length)).toThrow(expect.objectContaining({ code: "SCHEMA_INCOMPATIBLE" }));
  });
});

test("the field's client reads what is written here, and what it writes is read here", async () => {
  using registry = await opened();
  const client = new foreign.SchemaRegistry({ host: server.url });
  const serde = avroSerde({ subject: "seen-value", schema: seenAt, registry });
  const bytes = Buffer.alloc(64);
  const end = serde.encode({ id: "driver-1", at: 7 }, bytes, 0);
  expect({ ...((await client.decode(bytes.subarray(0, end))) as object) }).toEqual({ id: "driver-1", at: 7 });
  const { id } = await client.register(
    {
      type: foreign.SchemaType.AVRO,
      schema: JSON.stringify({ ...seenAt, fields: [...seenAt.fields, { name: "note", type: "string", default: "" }] }),
    },
    { subject: "seen-value" },
  );
  const theirs = await client.encode(id, { id: "driver-2", at: 8, note: "new" });
  await resolved(registry, id);
  expect(serde.decode(theirs, 0, theirs.length)).toEqual({ id: "driver-2", at: 8 });
});
