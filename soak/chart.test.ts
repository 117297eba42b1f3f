import { expect, test } from "vitest";
import { chart } from "./chart.ts";

const options = {
  title: "memory <of all>",
  unit: "MiB",
  seconds: 120,
  marks: [{ seconds: 30, kind: "kill" as const }],
  series: [
    {
      name: "one",
      points: [
        [0, 10],
        [10, 20],
        [20, undefined],
        [40, 30],
        [50, 35],
      ] as const,
    },
  ],
};

test("a line is broken where nothing was measured", () => {
  const [, path = ""] = /<path d="([^"]+)"/.exec(chart(options)) ?? [];
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path.match(/L/g)).toHaveLength(2);
});

test("titles are text, marks and series are in the legend, the scale ends above the largest value", () => {
  const text = chart(options);
  expect(text).toContain("memory &lt;of all&gt;");
  expect(text).toContain(">kill -9</text>");
  expect(text).not.toContain("SIGTERM");
  expect(text).toContain(">50</text>");
});

test("without any value it is still a picture", () => {
  expect(chart({ ...options, series: [{ name: "one", points: [] }], marks: [] })).not.toContain("NaN");
});
