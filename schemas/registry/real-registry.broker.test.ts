/** The same on a registry that is not ours: Apicurio by its Confluent-compatible API, or whatever SCHEMA_REGISTRY_URL names. */
import foreign from "@kafkajs/confluent-schema-registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { avroSerde } from "../avro/avro-serde.ts";
import { schemaText } from "../avro/schema-text.ts";
import { SerdeError } from "../errors.ts";
import { subjects } from "../subjects.ts";
import { type RealRegistry, startRealRegistry, whyNoRegistry } from "../testing/apicurio.ts";
import { httpRegistry } from "./http-registry.ts";
import { type CompiledSubject, loadHttpRegistry } from "./load-http-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const why = whyNoRegistry();
if (why !== undefined) process.stdout.write(`The tests on a real registry are skipped: ${why}\n`);
const run = `t${Date.now().toString(36)}`;
const seen = { type: "record", name: "Seen", fields: [{ name: "id", type: "string" }] } as const;
const seenAt = { type: "record", name: "Seen", fields: [...seen.fields, { name: "at", type: "long", default: 0 }] } as const;
const broken = { ...seen, fields: [{ name: "id", type: "long" }] } as const;
const ours: CompiledSubject = { subject: `${run}-seen-value`, schema: schemaText(seenAt), level: "BACKWARD" };

describe.skipIf(why !== undefined)("a real registry", () => {
  let registry: RealRegistry;
  beforeAll(async () => {
    registry = await startRealRegistry();
  });
  afterAll(() => registry?.stop());

  test("takes every topic with its level, and answers the same ids afterwards without being told anything", async () => {
    const topics = subjects.map(({ subject, schema, compatibility }): CompiledSubject => ({
      subject,
      remoteSubject: `${run}-${subject}`,
      schema: schemaText(schema),
      level: compatibility,
    }));
    const endpoint = { url: registry.url };
    await expect(loadHttpRegistry({ endpoint, subjects: topics })).rejects.toMatchObject({ code: "UNKNOWN_SCHEMA" });
    const first = await loadHttpRegistry({ endpoint, subjects: topics, register: true });
    expect(await loadHttpRegistry({ endpoint, subjects: topics })).toEqual(first);
    expect(new Set(first.map(({ subject }) => subject)).size).toBe(subjects.length);
  });

  test("lets a compatible schema follow, refuses another, and we refuse it before we ask", async () => {
    const endpoint = { url: registry.url };
    await loadHttpRegistry({ endpoint, subjects: [{ ...ours, schema: schemaText(seen) }], register: true });
    const both = await loadHttpRegistry({ endpoint, subjects: [ours], register: true });
    expect(both.map(({ version }) => version)).toEqual([1, 2]);
    using client = new RegistryClient(endpoint);
    await expect(client.register(ours.subject, schemaText(broken))).rejects.toMatchObject({ code: "SCHEMA_INCOMPATIBLE" });
    const unfit = { ...ours, schema: schemaText(broken) };
    await expect(loadHttpRegistry({ endpoint, subjects: [unfit], register: true })).rejects.toMatchObject({ code: "SCHEMA_INCOMPATIBLE" });
    await expect(client.register(`${run}-bad-value`, '{"type":"rec')).rejects.toMatchObject({ code: "SCHEMA_INVALID" });
  });

  test("tells an id that it has from one that it has not, and the field's client reads what we write", async () => {
    const endpoint = { url: registry.url };
    const loaded = await loadHttpRegistry({ endpoint, subjects: [ours], register: true });
    using lookup = httpRegistry({ endpoint, loaded: [] });
    const [first] = loaded;
    expect(await untilKnown(() => lookup.schemaById(first?.id ?? 0))).toContain("Seen");
    expect(await untilKnown(() => lookup.schemaById(987_654))).toBeUndefined();
    using writing = httpRegistry({ endpoint, loaded });
    const serde = avroSerde({ subject: ours.subject, schema: seenAt, registry: writing });
    const bytes = Buffer.alloc(64);
    const end = serde.encode({ id: "driver-1", at: 7 }, bytes, 0);
    const client = new foreign.SchemaRegistry({ host: registry.url });
    expect({ ...((await client.decode(bytes.subarray(0, end))) as object) }).toEqual({ id: "driver-1", at: 7 });
  });
});

async function untilKnown<T>(ask: () => T): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof SerdeError) || !error.retriable || tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
