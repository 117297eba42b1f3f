/** The Grafana dashboard as data; `deploy/write-files.ts` writes it as JSON. */

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface PanelSpec {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Values from which a line is drawn in yellow and in red. */
  readonly thresholds?: readonly [warn: number, page: number];
}

interface Row {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

const perInstance = "{{instance}} thread {{thread}}";
const rate = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}{job="slackline"}[$__rate_interval]))`;
const quantile = (share: number, metric: string, by = "le"): string =>
  `histogram_quantile(${share}, sum by (${by}) (rate(${metric}_bucket{job="slackline"}[$__rate_interval])))`;

const rows: readonly Row[] = [
  {
    title: "Is it well",
    panels: [
      { title: "Instances up", unit: "short", queries: [{ expr: 'sum(up{job="slackline"})', legend: "up" }] },
      {
        title: "Oldest record not processed",
        unit: "s",
        thresholds: [60, 180],
        queries: [{ expr: 'max by (topic) (slackline_lag_seconds{job="slackline"})', legend: "{{topic}}" }],
      },
      {
        title: "Dead letters, share of records",
        unit: "percentunit",
        thresholds: [0.005, 0.02],
        queries: [
          {
            expr: `${rate("slackline_dead_letters_total", "code")} / scalar(sum(rate(slackline_records_processed_total{job="slackline"}[$__rate_interval])))`,
            legend: "{{code}}",
          },
        ],
      },
      {
        title: "Partitions that wait for the schema registry",
        unit: "short",
        thresholds: [1, 1],
        queries: [{ expr: 'sum by (topic) (slackline_waiting{job="slackline"})', legend: "{{topic}}" }],
      },
    ],
  },
  {
    title: "How much",
    panels: [
      {
        title: "Records processed",
        unit: "ops",
        queries: [{ expr: rate("slackline_records_processed_total", "instance, thread"), legend: perInstance }],
      },
      {
        title: "Records written",
        unit: "ops",
        queries: [{ expr: rate("slackline_records_forwarded_total", "instance, thread"), legend: perInstance }],
      },
      {
        title: "Records behind",
        unit: "short",
        queries: [{ expr: 'sum by (topic) (slackline_lag_records{job="slackline"})', legend: "{{topic}}" }],
      },
    ],
  },
  {
    title: "How fast",
    panels: [
      {
        title: "Commit",
        unit: "s",
        queries: [
          { expr: quantile(0.5, "slackline_commit_duration_seconds"), legend: "p50" },
          { expr: quantile(0.99, "slackline_commit_duration_seconds"), legend: "p99" },
        ],
      },
      { title: "Commits by outcome", unit: "ops", queries: [{ expr: rate("slackline_commits_total", "outcome"), legend: "{{outcome}}" }] },
      {
        title: "HTTP p99 by route",
        unit: "s",
        queries: [{ expr: quantile(0.99, "slackline_http_request_seconds", "le, route"), legend: "{{route}}" }],
      },
      {
        title: "Requests by status",
        unit: "ops",
        queries: [{ expr: rate("slackline_http_request_seconds_count", "status"), legend: "{{status}}" }],
      },
    ],
  },
  {
    title: "What it takes",
    panels: [
      {
        title: "Buffered",
        unit: "bytes",
        queries: [{ expr: 'sum by (instance) (slackline_buffered_bytes{job="slackline"})', legend: "{{instance}}" }],
      },
      {
        title: "Memory",
        unit: "bytes",
        queries: [{ expr: 'slackline_process_resident_memory_bytes{job="slackline"}', legend: "{{instance}}" }],
      },
      {
        title: "CPU",
        unit: "percentunit",
        queries: [{ expr: 'rate(slackline_process_cpu_seconds_total{job="slackline"}[$__rate_interval])', legend: "{{instance}}" }],
      },
      {
        title: "Event loop lag p99",
        unit: "s",
        queries: [{ expr: 'slackline_nodejs_eventloop_lag_p99_seconds{job="slackline"}', legend: "{{instance}}" }],
      },
      {
        title: "Customers who follow a job",
        unit: "short",
        queries: [{ expr: 'sum(slackline_sse_followers{job="slackline"})', legend: "followers" }],
      },
      {
        title: "Tasks opened with state behind them",
        unit: "short",
        queries: [{ expr: 'sum by (instance) (slackline_restores_total{job="slackline"})', legend: "{{instance}}" }],
      },
    ],
  },
];

const PANEL_HEIGHT = 8;
const GRID_WIDTH = 24;
const source = { type: "prometheus", uid: "prometheus" } as const;

/** Grafana's model of the dashboard. */
export function dashboard(): object {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: GRID_WIDTH, h: 1 },
      panels: [],
    });
    y++;
    const width = GRID_WIDTH / Math.min(row.panels.length, 3);
    row.panels.forEach((panel, index) => {
      const at = {
        x: (index * width) % GRID_WIDTH,
        y: y + Math.floor((index * width) / GRID_WIDTH) * PANEL_HEIGHT,
        w: width,
        h: PANEL_HEIGHT,
      };
      panels.push({ id: panels.length + 1, ...panelModel(panel), gridPos: at });
    });
    y += Math.ceil((row.panels.length * width) / GRID_WIDTH) * PANEL_HEIGHT;
  }
  return {
    uid: "slackline",
    title: "Slackline",
    tags: ["slackline"],
    timezone: "browser",
    schemaVersion: 41,
    refresh: "10s",
    time: { from: "now-30m", to: "now" },
    editable: false,
    panels,
  };
}

function panelModel({ title, unit, queries, thresholds }: PanelSpec): object {
  const steps = [
    { color: "green", value: null },
    ...(thresholds === undefined
      ? []
      : [
          { color: "yellow", value: thresholds[0] },
          { color: "red", value: thresholds[1] },
        ]),
  ];
  return {
    type: "timeseries",
    title,
    datasource: source,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: { fillOpacity: 8, showPoints: "never", ...(thresholds === undefined ? {} : { thresholdsStyle: { mode: "line" } }) },
        thresholds: { mode: "absolute", steps },
      },
      overrides: [],
    },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: "ABCDEFGH".charAt(index),
      datasource: source,
      expr,
      legendFormat: legend,
    })),
  };
}
