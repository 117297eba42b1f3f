import { Gauge } from "prom-client";
import { expect, test } from "vitest";
import type { ThreadMetrics } from "../runtime/thread.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import { metricsText, StreamsMetrics } from "./streams-metrics.ts";

const snapshot: ThreadMetrics = {
  recordsProcessed: 10,
  recordsForwarded: 20,
  deadLetters: 3,
  deadLettersByCode: { PROCESSOR_FAILED: 2 },
  commits: 5,
  aborts: 1,
  bufferedRecords: 7,
  bufferedBytes: 700,
  lag: [
    { topic: "orders", partition: 0, task: "0_0", records: 4, headTimestamp: 8_500 },
    { topic: "orders", partition: 1, task: "0_1", records: 0, headTimestamp: -1 },
    { topic: "orders", partition: 2, task: "0_2", records: 9, headTimestamp: -1 },
  ],
};

async function samples(metrics: StreamsMetrics, family: string): Promise<readonly string[]> {
  const lines = (await metricsText(metrics.registry)).split("\n");
  return lines.filter((line) => line.startsWith(family));
}

test("shows the last snapshot of each thread in base units", async () => {
  const metrics = new StreamsMetrics();
  metrics.report(0, { ...snapshot, recordsProcessed: 9 }, 9_000);
  metrics.report(0, snapshot, 10_000);
  metrics.report(1, { ...snapshot, recordsProcessed: 1, lag: [], deadLetters: 0, deadLettersByCode: {} }, 10_000);
  expect(await samples(metrics, "slackline_records_processed_total")).toEqual([
    'slackline_records_processed_total{thread="0"} 10',
    'slackline_records_processed_total{thread="1"} 1',
  ]);
  expect(await samples(metrics, "slackline_lag_seconds")).toEqual([
    'slackline_lag_seconds{topic="orders",partition="0",task="0_0"} 1.5',
    'slackline_lag_seconds{topic="orders",partition="1",task="0_1"} 0',
  ]);
  expect(await samples(metrics, 'slackline_commits_total{thread="0"')).toEqual([
    'slackline_commits_total{thread="0",outcome="committed"} 5',
    'slackline_commits_total{thread="0",outcome="aborted"} 1',
  ]);
  expect(await samples(metrics, "slackline_dead_letters_total")).toEqual([
    'slackline_dead_letters_total{thread="0",code="PROCESSOR_FAILED"} 2',
    'slackline_dead_letters_total{thread="0",code="OTHER"} 1',
    'slackline_dead_letters_total{thread="1",code="OTHER"} 0',
  ]);
  expect(await samples(metrics, "slackline_restores")).toEqual([]);
});

test("says how often damaged rows were set aside, also when it was never", async () => {
  const metrics = new StreamsMetrics();
  expect(await samples(metrics, "slackline_state_set_aside_total")).toEqual(["slackline_state_set_aside_total 0"]);
  metrics.stateSetAside();
  expect(await samples(metrics, "slackline_state_set_aside_total")).toEqual(["slackline_state_set_aside_total 1"]);
});

test("a forgotten thread leaves nothing", async () => {
  const metrics = new StreamsMetrics();
  metrics.report(3, snapshot, 0);
  metrics.forget(3);
  expect((await samples(metrics, "slackline_")).filter((line) => line.includes("thread="))).toEqual([]);
});

test("commit latencies are a cumulative histogram in seconds", async () => {
  const histogram = new LatencyHistogram();
  for (const latencyMs of [0.5, 1, 1.5, 20, 60_000]) histogram.observe(latencyMs);
  const metrics = new StreamsMetrics();
  metrics.report(0, { ...snapshot, commitLatency: structuredClone(histogram.counts()) }, 0);
  const lines = await samples(metrics, "slackline_commit_duration_seconds");
  expect(lines.slice(0, 2)).toEqual([
    'slackline_commit_duration_seconds_bucket{thread="0",le="0.001"} 2',
    'slackline_commit_duration_seconds_bucket{thread="0",le="0.002"} 3',
  ]);
  expect(lines.slice(-4)).toEqual([
    'slackline_commit_duration_seconds_bucket{thread="0",le="10"} 4',
    'slackline_commit_duration_seconds_bucket{thread="0",le="+Inf"} 5',
    'slackline_commit_duration_seconds_sum{thread="0"} 60.023',
    'slackline_commit_duration_seconds_count{thread="0"} 5',
  ]);
});

test("every family says what it is, and others may use the registry too", async () => {
  const metrics = new StreamsMetrics();
  new Gauge({ name: "slackline_sse_customers", help: "Customers connected.", registers: [metrics.registry] }).set(2);
  metrics.report(0, snapshot, 0);
  const text = await metricsText(metrics.registry);
  expect(text).toContain("# TYPE slackline_commit_duration_seconds histogram\n");
  expect(text).toContain("slackline_sse_customers 2\n");
  const families = text.split("\n").filter((line) => line.startsWith("# HELP"));
  expect(families.every((line) => /^# HELP slackline_[a-z_]+ [A-Z].*\.$/.test(line))).toBe(true);
});
