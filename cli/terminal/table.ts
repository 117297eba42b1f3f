import Table from "cli-table3";

const borderless = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Columns under a header, no borders: readable, and easy to cut. Numbers are set to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const aligned = head.map((_, column): "left" | "right" =>
    rows.length > 0 && rows.every((row) => typeof row[column] === "number") ? "right" : "left",
  );
  const drawn = new Table({
    head: [...head],
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: aligned,
  });
  for (const row of rows) drawn.push(row.map(String));
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
